// SPDX-License-Identifier: Apache-2.0

package io.godwit.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.BootSector;
import io.godwit.json.JsonObject;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The harness itself. */
class QemuProcessIT {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void theGuestsCountAndTheirMemoryIsWhatWeThink(QemuVersion version) throws Exception {
        version.need();
        for (BootSector guest :
                new BootSector[] {BootSector.counting(1 << 20, 14 << 20), BootSector.noise(1 << 20, 14 << 20)}) {
            Path disk = guest.write(folder.resolve("boot.img"));
            try (QemuProcess qemu = QemuProcess.Recipe.of(version).disk(disk).start(folder)) {
                qemu.awaitCounted(guest);
                assertThat(qemu.damage(guest)).isNull();
                byte[] once = qemu.memory(0, 16 << 20);
                qemu.qmp("cont");
                qemu.qmp("stop");
                assertThat(qemu.damage(guest)).isNull();
                assertThat(qemu.memory(0, 16 << 20)).hasSameSizeAs(once);
                assertThat(((JsonObject) qemu.qmp("query-version"))
                                .object("qemu")
                                .int64("major"))
                        .isEqualTo(Long.parseLong(version.series().split("\\.", -1)[0]));
            }
        }
    }

    @Test
    void aQemuThatDoesNotStartSaysWhy() {
        QemuVersion version = QemuVersion.V7_2.need();
        assertThatThrownBy(
                        () -> QemuProcess.Recipe.of(version).machine("toaster").start(folder))
                .hasMessageContaining("exit code 1")
                .hasMessageContaining("unsupported machine type");
    }

    /** Starts a QEMU, says its process id, and waits to be killed. */
    static final class Parent {
        private Parent() {}

        public static void main(String[] args) throws Exception {
            QemuVersion version = QemuVersion.valueOf(args[0]);
            QemuProcess.Recipe recipe =
                    new QemuProcess.Recipe(version, QemuVersion.COMMON_MACHINE, 16 << 20, null, List.of());
            QemuProcess qemu = recipe.start(Path.of(args[1]));
            System.out.println(qemu.pid());
            LockSupport.park();
            qemu.close();
        }
    }

    @Test
    void aKilledJvmLeavesNoQemuBehind() throws Exception {
        QemuVersion version = QemuVersion.present().stream()
                .reduce((_, newer) -> newer)
                .orElse(QemuVersion.V11_1)
                .need();
        Path classes = Path.of(System.getProperty("godwit.classes"));
        Path core = Path.of(QemuProcess.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Process parent = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        String.join(
                                ":",
                                core.toString(),
                                classes.toString(),
                                classes.resolveSibling("test-classes").toString(),
                                jarOf(Test.class),
                                jarOf(org.opentest4j.TestAbortedException.class)),
                        Parent.class.getName(),
                        version.name(),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = parent.inputReader()) {
            ProcessHandle qemu =
                    ProcessHandle.of(Long.parseLong(said.readLine())).orElseThrow();
            assertThat(qemu.isAlive()).isTrue();

            parent.destroyForcibly();

            qemu.onExit().get(20, TimeUnit.SECONDS);
            assertThat(qemu.isAlive()).isFalse();
        } finally {
            parent.destroyForcibly();
        }
    }

    private static String jarOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }
}
