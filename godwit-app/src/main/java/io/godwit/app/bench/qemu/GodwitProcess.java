// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.app.term.ChildCommand;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Address;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@code godwit park} or {@code godwit unpark} as a user starts it. It ends with {@link #close}. What it uses is looked at all the time, so that it is known after its end. */
final class GodwitProcess implements AutoCloseable {
    private static final long LOOK_MILLIS = 5;

    private final String name;
    private final Process process;
    private final EventLog log;
    private final long started;
    private volatile Usage usage = new Usage(0, 0);
    private volatile Usage atReady = new Usage(0, 0);
    private volatile String last = "";
    private volatile String incoming = "";

    private GodwitProcess(String name, Process process, long started) {
        this.name = name;
        this.process = process;
        this.log = new EventLog(name);
        this.started = started;
    }

    /** @param arguments of Godwit's command line, the command first */
    static GodwitProcess start(List<String> arguments) throws IOException {
        List<String> words = new ArrayList<>(arguments);
        words.add(1, "--json");
        List<String> command = ChildCommand.of(words);
        long started = EventLog.now();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String name = "godwit " + arguments.getFirst();
        GodwitProcess child = new GodwitProcess(name, process, started);
        Thread.ofPlatform().daemon().name("godwit-bench-reader").start(child::read);
        Thread.ofPlatform().daemon().name("godwit-bench-meter").start(child::measure);
        return child;
    }

    private void read() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                last = line;
                if (line.startsWith("{") && Json.parse(line) instanceof JsonObject object) {
                    told(object);
                }
            }
        } catch (IOException | JsonSyntaxException e) {
            last = last + " (" + e.getMessage() + ")";
        }
        log.ended("its last words were: " + last);
    }

    private void told(JsonObject object) {
        String event = object.string("event", "?");
        if (event.equals("ready")) {
            atReady = Usage.of(process.pid(), usage);
            if (object.get("incoming") instanceof JsonArray all
                    && !all.values().isEmpty()
                    && all.values().getFirst() instanceof JsonString first) {
                incoming = first.value();
            }
        }
        String what = event.equals("status") ? object.string("status", "?") : event;
        log.note(what, EventLog.micros(Instant.parse(object.string("time", ""))));
    }

    private void measure() {
        try {
            do {
                usage = Usage.of(process.pid(), usage);
            } while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts here", e);
        }
    }

    /** Its events: {@code ready}, a migration's status by its word, {@code outcome}. */
    EventLog log() {
        return log;
    }

    /** Where a park listens, once it is ready. */
    Address incoming() {
        return Address.parse(incoming);
    }

    /** When it was started, as its events are. */
    long started() {
        return started;
    }

    /** The most that was seen. */
    Usage usage() {
        return Usage.of(process.pid(), usage);
    }

    /** What its start alone has taken. */
    Usage atReady() {
        return atReady;
    }

    /** Waits for its end, which must be a good one. */
    void awaitSuccess() throws BenchFailed {
        log.await("outcome");
        int code = process.onExit().join().exitValue();
        if (code != 0) {
            throw new BenchFailed(name + " ended with exit code " + code + ": " + last);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}
