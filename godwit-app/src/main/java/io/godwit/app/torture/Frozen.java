// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A process that is stopped by SIGSTOP. A helper in a session of its own sends SIGCONT when this is closed, or this process has ended, however it did: so none stays stopped for ever. */
final class Frozen implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 10;
    private static final String SCRIPT = """
            kill -STOP "$0" || exit 1
            echo stopped
            read -r word
            kill -CONT "$0"
            """;

    private final Process helper;

    private Frozen(Process helper) {
        this.helper = helper;
    }

    /** @throws IOException with a sentence, if it cannot be stopped */
    static Frozen stop(long pid) throws IOException {
        Process helper = new ProcessBuilder("setsid", "sh", "-c", SCRIPT, Long.toString(pid))
                .redirectErrorStream(true)
                .start();
        String said = helper.inputReader(StandardCharsets.UTF_8).readLine();
        if (!"stopped".equals(said)) {
            throw new IOException("process " + pid + " cannot be stopped: " + said);
        }
        return new Frozen(helper);
    }

    /** Lets it go on, and waits until it was told. */
    @Override
    public void close() throws IOException {
        helper.getOutputStream().close();
        CompletableFuture<Process> end = helper.onExit();
        end.copy().completeOnTimeout(helper, PATIENCE_SECONDS, TimeUnit.SECONDS).join();
        helper.destroyForcibly();
    }
}
