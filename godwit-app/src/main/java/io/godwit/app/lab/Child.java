// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.app.term.ChildCommand;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A child process: a {@code godwit run}, which ends when the pipe to its standard input does, so also when this process is killed, or a QEMU, which the kernel kills then. Thread-safe. */
public final class Child {
    /** How an error of Godwit's begins, and one of QEMU's. */
    private static final List<String> ERRORS = List.of("godwit: ", "qemu-system-x86_64: ");

    private static final int MOST_LINES = 20_000;

    private final String name;
    private final Process process;
    private final boolean listens;
    private final Deque<String> lines = new ArrayDeque<>();
    private final CompletableFuture<Void> ready = new CompletableFuture<>();

    private Child(String name, Process process, boolean listens) {
        this.name = name;
        this.process = process;
        this.listens = listens;
    }

    /**
     * Starts it.
     *
     * @param launcher what stands before its command, and becomes it; may be empty
     * @param arguments of {@code godwit}
     * @throws IOException with a sentence
     */
    public static Child start(String name, List<String> launcher, List<String> arguments) throws IOException {
        Process process;
        try {
            List<String> command = new ArrayList<>(launcher);
            command.addAll(ChildCommand.of(arguments));
            process = new ProcessBuilder(command).start();
        } catch (IOException e) {
            throw new IOException("the " + name + "'s process cannot be started: " + e.getMessage(), e);
        }
        return of(name, process, true);
    }

    /** Takes over a process that was started just now and does not listen to its standard input: it is ended by force when nobody needs it. */
    public static Child deaf(String name, Process process) {
        return of(name, process, false);
    }

    private static Child of(String name, Process process, boolean listens) {
        Child child = new Child(name, process, listens);
        child.read(process.getInputStream(), "out");
        child.read(process.getErrorStream(), "err");
        var _ = process.onExit().thenAccept(child::ended);
        return child;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Ends it by force and waits until that is done. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    public String name() {
        return name;
    }

    public long pid() {
        return process.pid();
    }

    /** Completes with the process's exit code. */
    public CompletableFuture<Integer> exit() {
        return process.onExit().thenApply(Process::exitValue);
    }

    /** Waits until it serves. */
    public void awaitReady(Duration deadline) throws LabFailed {
        try {
            ready.copy().orTimeout(deadline.toNanos(), TimeUnit.NANOSECONDS).join();
        } catch (CompletionException e) {
            throw new LabFailed(
                    e.getCause() instanceof TimeoutException
                            ? "the " + name + " was not ready within " + deadline.toMillis() + " ms"
                            : String.valueOf(
                                    e.getCause() == null ? e : e.getCause().getMessage()),
                    e);
        }
    }

    /** What it said last. */
    public List<String> tail(int most) {
        synchronized (lines) {
            return lines.stream().skip(Math.max(0, lines.size() - most)).toList();
        }
    }

    /** Tells it that nobody needs it any more: closes its standard input, or ends it. */
    public void release() {
        if (!listens) {
            process.destroyForcibly();
            return;
        }
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            add("its standard input could not be closed: " + e);
        }
    }

    /** Waits for its end; then ends it by force. */
    public void awaitEnd(Duration deadline) {
        exit().completeOnTimeout(-1, deadline.toNanos(), TimeUnit.NANOSECONDS).join();
        process.destroyForcibly();
    }

    private void read(InputStream stream, String what) {
        Thread.ofPlatform().daemon().name("godwit-" + name + "-" + what).start(() -> {
            try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    add(line);
                    if (line.startsWith("{")) {
                        look(line);
                    }
                }
            } catch (IOException e) {
                add("no more can be read: " + e);
            }
        });
    }

    private void look(String line) {
        try {
            if (Json.parse(line) instanceof JsonObject object
                    && object.string("event", "").equals("ready")) {
                ready.complete(null);
            }
        } catch (JsonSyntaxException e) {
            add("(the line above is no JSON: " + e.getMessage() + ")");
        }
    }

    private void add(String line) {
        synchronized (lines) {
            if (lines.size() == MOST_LINES) {
                lines.remove();
            }
            lines.add(line);
        }
    }

    /** How it ended, with the reason if it gave one. */
    public String obituary(int code) {
        String reason = tail(MOST_LINES).stream()
                .flatMap(line ->
                        ERRORS.stream().filter(line::startsWith).map(error -> ": " + line.substring(error.length())))
                .findFirst()
                .orElse("");
        return "the " + name + "'s process ended with exit code " + code + reason;
    }

    private void ended(Process ended) {
        ready.completeExceptionally(new IOException(obituary(ended.exitValue())));
    }
}
