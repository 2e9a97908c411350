// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Reads standard input to its end in a thread of its own. A child whose parent holds the other end of that pipe learns
 * so that the parent is gone, however it died: the kernel closes the pipe.
 */
public final class ParentWatch {
    private ParentWatch() {}

    /** Ends this JVM, with its shutdown hooks, when the parent is gone. Standard input must be a pipe of the parent's. */
    public static void exitWithParent() {
        start(System.in, _ -> {}, () -> System.exit(0));
    }

    /**
     * Starts to read.
     *
     * @param lines told every line, on the reading thread
     * @param end run once at the end of the input, or when it cannot be read, on the reading thread
     */
    public static void start(InputStream in, Consumer<String> lines, Runnable end) {
        Thread.ofPlatform().daemon().name("godwit-stdin").start(() -> {
            readAll(in, lines);
            end.run();
        });
    }

    private static void readAll(InputStream in, Consumer<String> lines) {
        BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        try {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.accept(line);
            }
        } catch (IOException unreadable) {
            // A pipe that cannot be read has nobody at its other end any more: the same as its end.
            return;
        }
    }
}
