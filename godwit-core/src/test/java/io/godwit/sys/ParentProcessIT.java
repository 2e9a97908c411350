// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class ParentProcessIT {

    /** Starts a {@link Child}, says its process id, and waits. */
    static final class Parent {
        private Parent() {}

        public static void main(String[] args) throws IOException {
            long self = ProcessHandle.current().pid();
            Process child = java(Child.class, Long.toString(self));
            System.out.println(child.inputReader().readLine());
            LockSupport.park();
        }
    }

    /** Ties itself to its parent and waits. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws IOException {
            boolean tied = ParentProcess.dieWith(Integer.parseInt(args[0]));
            System.out.println(ProcessHandle.current().pid() + (tied ? " tied" : " orphan"));
            if (tied) {
                LockSupport.park();
            }
        }
    }

    private static Process java(Class<?> main, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dgodwit.classes=" + System.getProperty("godwit.classes"),
                "-cp",
                System.getProperty("godwit.classes") + ":" + testClasses(),
                main.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Where the tests are, in the tests' own JVM (patched into the module) as in the ones started here. */
    private static String testClasses() {
        Path classes = Path.of(System.getProperty("godwit.classes"));
        Path beside = classes.resolveSibling("test-classes");
        return beside.toFile().exists()
                ? beside.toString()
                : classes.resolveSibling("t").toString();
    }

    @Test
    void aTiedChildIsGoneOnceItsParentIsKilled() throws Exception {
        Process parent = java(Parent.class);
        try (BufferedReader said = parent.inputReader()) {
            String line = said.readLine();
            assertThat(line).endsWith(" tied");
            ProcessHandle child =
                    ProcessHandle.of(Long.parseLong(line.split(" ", -1)[0])).orElseThrow();
            assertThat(child.isAlive()).isTrue();

            parent.destroyForcibly();

            child.onExit().get(10, TimeUnit.SECONDS);
            assertThat(child.isAlive()).isFalse();
        } finally {
            parent.destroyForcibly();
        }
    }

    @Test
    void aChildWhoseParentIsAnotherOneIsTold() throws Exception {
        Process child = java(Child.class, "999999999");
        try (BufferedReader said = child.inputReader()) {
            assertThat(said.readLine()).isEqualTo(child.pid() + " orphan");
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void theParentIsTheOneThatJavaNames() {
        assertThat((long) ParentProcess.pid())
                .isEqualTo(ProcessHandle.current().parent().orElseThrow().pid());
    }
}
