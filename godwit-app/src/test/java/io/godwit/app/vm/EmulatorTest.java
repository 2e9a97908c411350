// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which QEMU is taken. */
class EmulatorTest {
    @TempDir
    Path folder;

    private Path program(String name, String said) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\necho 'QEMU emulator version " + said + " (Somebody)'\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private Map<String, String> environment() {
        return Map.of(
                "GODWIT_QEMU",
                folder.resolve("set").toString(),
                "PATH",
                folder.resolve("nothing") + ":" + folder.resolve("bin"));
    }

    @Test
    void theNewestWhereverItIs() throws Exception {
        program("set/qemu-7.2", "7.2.22");
        Path ten = program("set/qemu-10.0", "10.0.11");
        program("set/qemu-9.2", "9.2.0");
        assertThat(Emulator.find(environment(), null)).isEqualTo(new Emulator(10, 0, ten));

        Path path = program("bin/qemu-system-x86_64", "10.1.0");
        assertThat(Emulator.find(environment(), null)).isEqualTo(new Emulator(10, 1, path));
        assertThat(Emulator.find(environment(), "10.0").program()).isEqualTo(ten);
        assertThat(Emulator.find(environment(), "10.1.3").program()).isEqualTo(path);
    }

    @Test
    void oneOfTheFolderBeforeTheSystemsOwn() throws Exception {
        Path here = program("set/qemu-10.0", "10.0.11");
        program("bin/qemu-system-x86_64", "10.0.2");
        assertThat(Emulator.find(environment(), null).program()).isEqualTo(here);
    }

    @Test
    void whatIsNoProgramIsNone() throws Exception {
        Files.createDirectories(folder.resolve("set/qemu-11.1"));
        Files.writeString(folder.resolve("set/qemu-12.0"), "not executable");
        program("bin/qemu-system-x86_64", "of the toaster");
        assertThatThrownBy(() -> Emulator.find(environment(), null))
                .isInstanceOf(Emulator.Missing.class)
                .hasMessageStartingWith("there is no QEMU in " + folder.resolve("set"))
                .hasMessageContaining("run bin/install-qemu")
                .hasMessageContaining("GODWIT_QEMU");
    }

    @Test
    void anotherThanTheOneThatWasAskedForIsNotTaken() throws Exception {
        program("set/qemu-7.2", "7.2.22");
        program("set/qemu-10.0", "10.0.11");
        assertThatThrownBy(() -> Emulator.find(environment(), "11.1"))
                .isInstanceOf(Emulator.Missing.class)
                .hasMessageMatching(
                        "there is no QEMU 11\\.1, but (7\\.2, 10\\.0|10\\.0, 7\\.2) in .*: run bin/install-qemu.*");
    }

    @Test
    void whoCannotSurviveAFailedRecoveryIsKnown() {
        assertThat(new Emulator(7, 2, folder).mayNotSurviveFailedRecoveries()).isTrue();
        assertThat(new Emulator(8, 1, folder).mayNotSurviveFailedRecoveries()).isTrue();
        assertThat(new Emulator(8, 2, folder).mayNotSurviveFailedRecoveries()).isFalse();
        assertThat(new Emulator(10, 0, folder).mayNotSurviveFailedRecoveries()).isFalse();
    }
}
