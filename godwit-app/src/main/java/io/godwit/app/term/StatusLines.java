// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.engine.EndpointListener;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.protocol.MigrationStatus;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What happens at the endpoint, as lines on standard output. They are written by a thread of their own: the endpoint's loop, which tells them, never
 * waits for a terminal or a pipe. At most {@link #CAPACITY} wait; what comes then is counted and dropped.
 */
public final class StatusLines implements EndpointListener, AutoCloseable {
    private static final int CAPACITY = 10_000;
    private static final long FLUSH_SECONDS = 1;
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

    /** One thing that happened. An empty name is the order to end. */
    private record Line(Instant time, String name, JsonObject data, String words) {}

    private final PrintWriter out;
    private final boolean json;
    private final LinkedBlockingQueue<Line> queue = new LinkedBlockingQueue<>(CAPACITY);
    private final CompletableFuture<Void> written = new CompletableFuture<>();
    private volatile long dropped;

    /** @param json one JSON object a line, else a sentence */
    public StatusLines(PrintWriter out, boolean json) {
        this.out = out;
        this.json = json;
        Thread.ofPlatform().daemon().name("godwit-status").start(this::write);
    }

    /**
     * It can be used now.
     *
     * @param words the same as a sentence
     */
    public void ready(List<String> qmp, List<String> incoming, String words) {
        add(
                "ready",
                JsonObject.builder()
                        .put("pid", ProcessHandle.current().pid())
                        .put("qmp", strings(qmp))
                        .put("incoming", strings(incoming))
                        .build(),
                words);
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        add(
                "status",
                JsonObject.builder()
                        .put("from", from.word())
                        .put("status", to.word())
                        .put("reason", reason)
                        .build(),
                to.word() + (reason.isEmpty() ? "" : ": " + reason));
    }

    @Override
    public void guestStopped() {
        add("stop", Json.object(), "the guest has stopped");
    }

    @Override
    public void guestResumed() {
        add("resume", Json.object(), "the guest runs");
    }

    @Override
    public void shutdown(String reason) {
        add("shutdown", JsonObject.builder().put("reason", reason).build(), "ends: " + reason);
    }

    @Override
    public void notice(String text) {
        add("notice", JsonObject.builder().put("text", text).build(), text);
    }

    /** A signal that is not obeyed yet. */
    public void refused(String reason) {
        add("refused", JsonObject.builder().put("reason", reason).build(), reason);
    }

    /** Anything else that a program may want to tell apart by its name. */
    public void say(String name, JsonObject data, String words) {
        add(name, data, words);
    }

    private static Json strings(List<String> values) {
        return new JsonArray(values.stream().<Json>map(Json::of).toList());
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // a count for people; the loop is all but its only writer
    private void add(String name, JsonObject data, String words) {
        if (!queue.offer(new Line(Instant.now(), name, data, words))) {
            dropped++;
        }
    }

    private void write() {
        try {
            for (Line line = queue.take(); !line.name.isEmpty(); line = queue.take()) {
                out.println(json ? asJson(line) : CLOCK.format(line.time) + " " + line.words);
            }
            if (dropped > 0) {
                out.println(json ? "{\"event\": \"dropped\", \"lines\": " + dropped + "}" : dropped + " lines dropped");
            }
            out.flush();
            written.complete(null);
        } catch (InterruptedException e) {
            written.completeExceptionally(e);
        }
    }

    private static String asJson(Line line) {
        return JsonObject.builder()
                .put("event", line.name)
                .put("time", line.time.toString())
                .putAll(line.data)
                .build()
                .toString();
    }

    /** Lets what waits be written, for at most a second. */
    @Override
    public void close() {
        if (queue.offer(new Line(Instant.now(), "", Json.object(), ""))) {
            written.copy()
                    .completeOnTimeout(null, FLUSH_SECONDS, TimeUnit.SECONDS)
                    .join();
        }
    }
}
