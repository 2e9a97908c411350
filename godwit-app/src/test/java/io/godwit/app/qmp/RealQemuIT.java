// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/** {@code godwit qmp} is a QMP client for QEMUs, too. */
class RealQemuIT {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void talksToAQemu(QemuVersion version) throws Exception {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        try (QemuProcess qemu = QemuProcess.Recipe.of(version).stopped().start(folder)) {
            CommandLine line = new CommandLine(new QmpCommand())
                    .setOut(new PrintWriter(out, true))
                    .setErr(new PrintWriter(err, true));

            assertThat(line.execute("--json", qemu.address().toString(), "query-status"))
                    .isZero();
            assertThat(out.toString()).contains("\"status\":\"prelaunch\"");
            assertThat(line.execute(qemu.address().toString(), "migrate-pause")).isNotZero();
            assertThat(err.toString()).contains("migrate-pause");
        }
    }
}
