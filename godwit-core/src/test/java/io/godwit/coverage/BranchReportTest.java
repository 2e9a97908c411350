// SPDX-License-Identifier: Apache-2.0

package io.godwit.coverage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.coverage.BranchReport.Sum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BranchReportTest {
    /** As JaCoCo writes it, without what is not read. */
    private static final String XML =
            "<report name=\"x\"><package name=\"a/b\"><class name=\"a/b/C\" sourcefilename=\"C.java\">"
                    + "<method name=\"m\" desc=\"()V\" line=\"2\"/></class><sourcefile name=\"C.java\">"
                    + "<line nr=\"2\" mi=\"0\" ci=\"3\" mb=\"0\" cb=\"0\"/><line nr=\"3\" mi=\"0\" ci=\"3\" mb=\"1\" cb=\"3\"/>"
                    + "<line nr=\"4\" mi=\"2\" ci=\"3\" mb=\"1\" cb=\"1\"/></sourcefile>"
                    + "<sourcefile name=\"D.java\"><line nr=\"3\" mi=\"0\" ci=\"3\" mb=\"0\" cb=\"2\"/></sourcefile></package>"
                    + "<package name=\"a/c\"><sourcefile name=\"C.java\"><line nr=\"3\" mi=\"4\" ci=\"0\" mb=\"2\" cb=\"0\"/></sourcefile>"
                    + "</package></report>";

    private static final Map<String, Map<Integer, Integer>> DEAD = Map.of("a/b/C.java", Map.of(3, 1));

    @Test
    void sumsUpByPackageWithoutWhatCannotBeTaken() {
        assertThat(BranchReport.packages(BranchReport.read(XML, DEAD)))
                .containsExactly(Map.entry("a.b", new Sum(6, 1, 1)), Map.entry("a.c", new Sum(0, 2, 0)));
        assertThat(new Sum(6, 1, 1).percent()).isBetween(85.7, 85.8);
        assertThat(new Sum(0, 2, 0).percent()).isZero();
    }

    @Test
    void namesTheFilesThatMissMostAndTheirLines(@TempDir Path sources) throws IOException {
        Path file = sources.resolve("a/b/C.java");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "class C {\n  void m() {\n    one();\n    if (two) {}\n");

        List<String> lines = BranchReport.render(BranchReport.read(XML, DEAD), sources)
                .lines()
                .toList();

        assertThat(lines.subList(3, lines.size()).stream().map(String::strip))
                .containsExactly(
                        "Missed, most first:",
                        "2 of    2  a/c/C.java",
                        "3  2 of 2",
                        "1 of    5  a/b/C.java",
                        "4  1 of 2  if (two) {}");
    }

    /** Else a mistake of ours would make the number better. */
    @Test
    void aBranchHeldForDeadThatWasTakenIsAnError() {
        assertThatThrownBy(() -> BranchReport.read(XML, Map.of("a/b/D.java", Map.of(3, 1))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a/b/D.java, line 3: a branch was taken that none should be able to take");
    }
}
