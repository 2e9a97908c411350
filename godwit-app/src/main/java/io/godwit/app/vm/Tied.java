// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.vm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** QEMUs that the kernel kills when this process ends, in whatever way. They are in a session of their own, so that a Ctrl-C does not reach them. */
public final class Tied {
    /** The kernel ties a child to the thread that starts it, not to the process: so one thread that never ends starts them all. */
    private static final ExecutorService STARTER = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("godwit-qemu-starter").factory());

    private Tied() {}

    /**
     * To be completed and {@link #start started}.
     *
     * @param launcher what takes the process to where it is to run; may be empty. It comes first: a change of credentials would untie it
     */
    public static ProcessBuilder builder(List<String> launcher, List<String> words) {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(List.of("setpriv", "--pdeathsig", "KILL", "setsid", "sh", "-c"));
        // The tie holds from here on; if this process has ended before, nobody would end the child.
        command.add("[ \"$PPID\" = \"$0\" ] && exec \"$@\"");
        command.add(Long.toString(ProcessHandle.current().pid()));
        command.addAll(words);
        return new ProcessBuilder(command);
    }

    /** @throws IOException with a sentence */
    public static Process start(ProcessBuilder builder) throws IOException {
        try {
            return CompletableFuture.supplyAsync(() -> started(builder), STARTER)
                    .join();
        } catch (CompletionException e) {
            throw new IOException("QEMU cannot be started: " + e.getCause(), e);
        }
    }

    private static Process started(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }
}
