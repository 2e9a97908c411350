// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.vm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtual machine to be started: no display, no network, one disk that it boots from.
 *
 * @param accelerator {@code tcg} or {@code kvm}
 * @param memoryBytes of the guest
 * @param disk a raw image; several QEMUs may have it
 * @param qmp Unix sockets; each serves one client at a time
 * @param incoming whether it waits for a guest, to be told where by QMP
 */
public record Machine(
        Emulator emulator, String accelerator, long memoryBytes, Path disk, List<Path> qmp, boolean incoming) {
    public Machine {
        qmp = List.copyOf(qmp);
    }

    /**
     * Starts it, {@link Tied tied} to this process.
     *
     * @param launcher what stands before the command, and becomes it; may be empty
     * @throws IOException with a sentence
     */
    public Process start(List<String> launcher) throws IOException {
        return Tied.start(Tied.builder(launcher, command()));
    }

    private List<String> command() {
        List<String> command = new ArrayList<>();
        command.addAll(List.of(emulator.program().toString(), "-accel", accelerator));
        command.addAll(List.of("-machine", "pc", "-m", memoryBytes + "B"));
        command.addAll(List.of("-nodefaults", "-display", "none"));
        for (Path socket : qmp) {
            command.addAll(List.of("-qmp", "unix:" + escaped(socket) + ",server=on,wait=off"));
        }
        // Both ends have it, as they would have shared storage: nobody writes to it, so nobody need lock it.
        command.addAll(List.of("-drive", "if=none,id=d0,file=" + escaped(disk) + ",format=raw,file.locking=off"));
        command.addAll(List.of("-device", "ide-hd,drive=d0"));
        if (incoming) {
            command.addAll(List.of("-incoming", "defer"));
        }
        return command;
    }

    /** In QEMU's options a comma ends a value unless it is doubled. */
    private static String escaped(Path path) {
        return path.toString().replace(",", ",,");
    }
}
