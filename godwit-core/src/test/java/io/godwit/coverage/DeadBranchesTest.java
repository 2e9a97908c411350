// SPDX-License-Identifier: Apache-2.0

package io.godwit.coverage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each shape that javac writes and nothing can take is found; what looks like it and can be taken is not. */
class DeadBranchesTest {
    private static final Path CLASSES =
            Path.of(System.getProperty("godwit.classes")).resolveSibling("test-classes");

    private static int dead(Class<?> sample) throws IOException {
        String name = sample.getName().replace('.', '/') + ".class";
        return DeadBranches.perLine(CLASSES, ClassFile.of().parse(CLASSES.resolve(name))).values().stream()
                .mapToInt(Integer::intValue)
                .sum();
    }

    sealed interface Shape {
        record Dot() implements Shape {}

        record Line(boolean dashed, int width, String colour) implements Shape {}

        record Box(Object inside) implements Shape {}
    }

    enum Light {
        RED,
        GREEN
    }

    static final class Components {
        static boolean dashed(Object thing) {
            return thing instanceof Shape.Line(boolean dashed, int width, String colour)
                    && dashed
                    && width > colour.length();
        }
    }

    @Test
    void aComponentThatMatchesWhateverItIs() throws IOException {
        assertThat(dead(Components.class)).as("one of each primitive component").isEqualTo(2);
    }

    static final class NarrowComponent {
        static boolean text(Object thing) {
            return thing instanceof Shape.Box(String text) && !text.isEmpty();
        }
    }

    @Test
    void aComponentThatMayBeSomethingElseIsNone() throws IOException {
        assertThat(dead(NarrowComponent.class)).isZero();
    }

    static final class SeveralInOneCase {
        static int corners(Shape shape) {
            return switch (shape) {
                case Shape.Box _ -> 4;
                case Shape.Dot _, Shape.Line _ -> 0;
            };
        }
    }

    @Test
    void theLastOfSeveralPatternsInOneCase() throws IOException {
        assertThat(dead(SeveralInOneCase.class)).isEqualTo(1);
    }

    static final class GuardThatAsksForAType {
        static int corners(Shape shape, Object other) {
            return switch (shape) {
                case Shape.Box _ when other instanceof Shape.Box && !other.equals(shape) -> 8;
                case Shape.Box _ -> 4;
                case Shape.Dot _ -> 0;
                case Shape.Line _ -> 1;
            };
        }
    }

    @Test
    void aGuardMayBeFalse() throws IOException {
        assertThat(dead(GuardThatAsksForAType.class)).isZero();
    }

    static final class WholeEnum {
        static void say(Light light, List<String> to) {
            switch (light) {
                case RED -> to.add("stop");
                case GREEN -> to.add("go");
            }
        }
    }

    static final class PartOfAnEnum {
        static void say(Light light, List<String> to) {
            switch (light) {
                case RED -> to.add("stop");
                default -> to.add("go");
            }
        }
    }

    @Test
    void theDefaultOfASwitchOverAllOfAnEnum() throws IOException {
        assertThat(dead(WholeEnum.class)).isEqualTo(1);
        assertThat(dead(PartOfAnEnum.class)).isZero();
    }

    static final class Expression {
        static String say(Light light) {
            return switch (light) {
                case RED -> "stop";
                case GREEN -> "go";
            };
        }
    }

    @Test
    void jacocoItselfLeavesOutTheOneThatThrows() throws IOException {
        assertThat(dead(Expression.class)).isZero();
    }

    static final class Ordinary {
        static int count(Object thing, boolean always) {
            int n = 0;
            while (true) {
                boolean last = always || n > 3;
                if (last) {
                    return n;
                }
                n += thing instanceof Shape.Line ? 2 : 1;
            }
        }
    }

    @Test
    void nothingElse() throws IOException {
        assertThat(dead(Ordinary.class)).isZero();
    }
}
