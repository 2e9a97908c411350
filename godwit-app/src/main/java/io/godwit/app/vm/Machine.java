// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.vm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

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
    /** The kernel ties a child to the thread that starts it, not to the process: so one thread that never ends starts them all. */
    private static final ExecutorService STARTER = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("godwit-qemu-starter").factory());

    public Machine {
        qmp = List.copyOf(qmp);
    }

    /**
     * Starts it, in a session of its own, so that a Ctrl-C does not reach it. The kernel kills it when this process ends, in whatever way.
     *
     * @throws IOException with a sentence
     */
    public Process start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command());
        try {
            return CompletableFuture.supplyAsync(() -> start(builder), STARTER).join();
        } catch (CompletionException e) {
            throw new IOException("QEMU cannot be started: " + e.getCause(), e);
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "setsid", "sh", "-c"));
        // The tie holds from here on; if this process has ended before, nobody would end the child.
        command.add("[ \"$PPID\" = \"$0\" ] && exec \"$@\"");
        command.add(Long.toString(ProcessHandle.current().pid()));
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
