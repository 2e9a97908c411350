// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.app.vm.Emulator;
import io.godwit.app.vm.Tied;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import io.godwit.qmp.QmpMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A running QEMU. It has two QMP sockets, since each serves one client at a time: {@link #peer} for Godwit, the other for this. It ends with {@link #close}, or when this JVM does. */
final class Vm implements AutoCloseable {
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final int BETWEEN_TRIES_MS = 2;

    private final String name;
    private final Process process;
    private final Path said;
    private final Address peer;
    private final QmpClient client;
    private final EventLog log;

    private Vm(String name, Process process, Path folder, Address peer) throws IOException, BenchFailed {
        this.name = name;
        this.process = process;
        this.said = folder.resolve(name + ".said");
        this.peer = peer;
        this.log = new EventLog(name);
        this.client = connect(new Address.Unix(folder.resolve(name + ".own")));
        client.addListener(this::told);
        var _ = process.onExit().thenAccept(ended -> log.ended("it has ended: " + said()));
    }

    /**
     * Starts one.
     *
     * @param name of its files in the folder, and for people
     * @param memory of the guest, in bytes
     */
    static Vm start(Emulator program, String name, Path folder, long memory, List<String> flags)
            throws IOException, BenchFailed {
        Address.Unix peer = new Address.Unix(folder.resolve(name + ".qmp"));
        List<String> command = new ArrayList<>();
        command.addAll(List.of(program.program().toString(), "-accel", "tcg"));
        command.addAll(List.of("-machine", "pc,max-ram-below-4g=" + Noise.LOW + "B"));
        command.addAll(List.of("-m", memory + "B", "-nodefaults", "-display", "none"));
        for (String socket : List.of(".qmp", ".own")) {
            command.addAll(List.of("-qmp", "unix:" + folder.resolve(name + socket) + ",server=on,wait=off"));
        }
        command.addAll(flags);
        ProcessBuilder builder = Tied.builder(List.of(), command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".said").toFile());
        Process process = Tied.start(builder);
        try {
            return new Vm(name, process, folder, peer);
        } catch (IOException | BenchFailed | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private QmpClient connect(Address socket) throws BenchFailed {
        long until = System.nanoTime() + ANSWER.toNanos();
        while (true) {
            try {
                return QmpClient.connect(socket, ANSWER);
            } catch (QmpException notYet) {
                if (exited() || System.nanoTime() - until > 0) {
                    throw new BenchFailed(name + " does not come up: " + said(), notYet);
                }
            }
        }
    }

    private boolean exited() {
        try {
            return process.waitFor(BETWEEN_TRIES_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts here", e);
        }
    }

    private void told(QmpMessage.Event event) {
        long micros = TimeUnit.SECONDS.toMicros(event.seconds()) + event.microseconds();
        log.note(event.name().equals("MIGRATION") ? event.data().string("status", "?") : event.name(), micros);
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    /** Its QMP for Godwit. */
    Address peer() {
        return peer;
    }

    /** Its events: a migration's by their status ({@code completed}), others by name ({@code STOP}). */
    EventLog log() {
        return log;
    }

    private String said() {
        try {
            return Files.readString(said).strip();
        } catch (IOException e) {
            return "(" + e + ")";
        }
    }

    Json order(String command, JsonObject arguments) throws BenchFailed {
        try {
            return client.execute(command, arguments, ANSWER);
        } catch (QmpException e) {
            throw new BenchFailed(name + " does not obey '" + command + "': " + e.getMessage(), e);
        }
    }

    Json order(String command) throws BenchFailed {
        return order(command, Json.object());
    }

    /** Runs the guest again after its migration has completed, which QEMU says a moment before it allows that. */
    void goOn() throws BenchFailed {
        long until = System.nanoTime() + ANSWER.toNanos();
        while (order("query-status") instanceof JsonObject state
                && state.string("status", "?").equals("finish-migrate")) {
            if (exited() || System.nanoTime() - until > 0) {
                throw new BenchFailed(name + " does not come to the end of its migration: " + said());
            }
        }
        order("cont");
    }

    /** Switches these capabilities on and all others that are used here off. */
    void capabilities(String... on) throws BenchFailed {
        List<String> wanted = Arrays.asList(on);
        List<Json> all = new ArrayList<>();
        for (String capability : List.of("events", "return-path", "postcopy-ram", "postcopy-preempt", "multifd")) {
            all.add(state(capability, wanted.contains(capability)));
        }
        wanted.stream().filter(each -> each.equals("mapped-ram")).forEach(each -> all.add(state(each, true)));
        order(
                "migrate-set-capabilities",
                JsonObject.builder()
                        .put("capabilities", Json.array(all.toArray(Json[]::new)))
                        .build());
    }

    private static Json state(String capability, boolean on) {
        return JsonObject.builder()
                .put("capability", capability)
                .put("state", on)
                .build();
    }

    /** Bytes per second, 0 for no limit; the guest stops when the rest takes 10 ms. */
    void limits(long bandwidth, long postcopyBandwidth) throws BenchFailed {
        order(
                "migrate-set-parameters",
                JsonObject.builder()
                        .put("max-bandwidth", bandwidth)
                        .put("max-postcopy-bandwidth", postcopyBandwidth)
                        .put("downtime-limit", 10)
                        .build());
    }

    void order(String command, String uri) throws BenchFailed {
        order(command, JsonObject.builder().put("uri", uri).build());
    }

    /** Physical memory into a file. */
    void save(long from, long bytes, Path file) throws BenchFailed {
        order(
                "pmemsave",
                JsonObject.builder()
                        .put("val", from)
                        .put("size", bytes)
                        .put("filename", file.toString())
                        .build());
    }

    Usage usage() {
        return Usage.of(pid());
    }

    @Override
    public void close() {
        client.close();
        process.destroyForcibly();
        process.onExit().join();
    }
}
