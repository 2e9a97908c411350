// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process that makes a folder which only its owner may use, and removes it with all that is in it when it is told to, or when this process has ended, however it did. It is in
 * a session of its own, so that what ends this process' group does not end it.
 *
 * <p>After a kill, or if it cannot be removed at once, it removes the folder for two seconds on end: the processes that use it are dying, and the last of them may still be making files.
 */
public final class Caretaker implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 30;
    private static final String SCRIPT = """
            mkdir -m 700 -- "$0" || exit 1
            echo ready
            exec >/dev/null 2>&1
            if read -r word && rm -rf -- "$0"; then exit 0; fi
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do rm -rf -- "$0"; sleep 0.1; done
            """;

    private final Path folder;
    private final Process process;
    private boolean closed;

    private Caretaker(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /** @throws IOException with a sentence, if the folder cannot be made */
    public static Caretaker start(Path folder) throws IOException {
        Process process = new ProcessBuilder("setsid", "sh", "-c", SCRIPT, folder.toString())
                .redirectErrorStream(true)
                .start();
        BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
        String line = CompletableFuture.supplyAsync(
                        () -> read(said),
                        run -> Thread.ofPlatform()
                                .daemon()
                                .name("godwit-caretaker")
                                .start(run))
                .completeOnTimeout("it does not answer", PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
        if (!line.equals("ready")) {
            process.destroyForcibly();
            throw new IOException("the folder " + folder + " cannot be made: " + line);
        }
        return new Caretaker(folder, process);
    }

    private static String read(BufferedReader said) {
        try {
            return String.valueOf(said.readLine());
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Has the folder removed and waits for that. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            process.outputWriter(StandardCharsets.US_ASCII).append("done\n").close();
        } catch (IOException e) {
            throw new IllegalStateException("the folder " + folder + " cannot be removed", e);
        }
        process.onExit()
                .completeOnTimeout(process, PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
        process.destroyForcibly();
    }
}
