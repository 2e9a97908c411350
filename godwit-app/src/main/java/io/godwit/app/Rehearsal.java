// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.Relay;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpEvents;
import io.godwit.qmp.QmpException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * A small migration in this process, with postcopy, a lost channel and a recovery, and a guest that is parked and comes out again: so that the AOT cache has what {@code run},
 * {@code demo}, {@code park} and {@code unpark} need from their first moment on, loaded classes and profiles of hot methods. Takes about four seconds.
 */
final class Rehearsal {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final Path folder;

    private Rehearsal(Path folder) {
        this.folder = folder;
    }

    static void play() throws IOException, QmpException, ExecutionException, TimeoutException, InterruptedException {
        Path folder = Files.createTempDirectory("godwit-training-");
        try {
            Rehearsal rehearsal = new Rehearsal(folder);
            rehearsal.migrate();
            rehearsal.park();
        } finally {
            remove(folder);
        }
    }

    private static void remove(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    private void migrate()
            throws IOException, QmpException, ExecutionException, TimeoutException, InterruptedException {
        CompletableFuture<Integer> source = run("s", "--readers", "1", "--read-rate", "100", "--hot", "5");
        CompletableFuture<Integer> destination = run("d", "--incoming", "defer");
        try (Relay relay = Relay.start(address("in"), address("out"));
                QmpClient from = QmpClient.connect(address("s"), DEADLINE);
                QmpClient to = QmpClient.connect(address("d"), DEADLINE);
                QmpEvents there = from.events();
                QmpEvents here = to.events()) {
            for (QmpClient client : List.of(from, to)) {
                client.execute(
                        "migrate-set-capabilities", capabilities("events", "return-path", "postcopy-ram"), DEADLINE);
            }
            from.execute("migrate-set-parameters", limit(1 << 20), DEADLINE);
            to.execute("migrate-incoming", uri(address("out"), false), DEADLINE);
            from.execute("migrate", uri(relay.address(), false), DEADLINE);
            await(there, "active");
            from.execute("migrate-start-postcopy", Json.object(), DEADLINE);
            here.await(event -> event.name().equals("RESUME"), DEADLINE);
            await(there, "postcopy-active");
            while (requests(from) == 0) {
                to.execute("x-godwit-guest-stats", Json.object(), DEADLINE);
            }
            relay.cut();
            await(there, "postcopy-paused");
            await(here, "postcopy-paused");
            from.execute("migrate", uri(relay.address(), true), DEADLINE);
            from.execute("migrate-set-parameters", limit(0), DEADLINE);
            await(there, "completed");
            await(here, "completed");
            to.execute("stop", Json.object(), DEADLINE);
            here.await(event -> event.name().equals("STOP"), DEADLINE);
            to.execute("x-godwit-guest-verify", Json.object(), DEADLINE);
            from.execute("quit", Json.object(), DEADLINE);
            to.execute("quit", Json.object(), DEADLINE);
        }
        source.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        destination.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }

    private Address address(String name) {
        return new Address.Unix(folder.resolve(name));
    }

    /** {@code godwit run} on a thread of its own; returns once it serves. */
    private CompletableFuture<Integer> run(String name, String... more)
            throws ExecutionException, TimeoutException, InterruptedException {
        List<String> words =
                List.of("run", "--json", "--size", "16M", "--qmp", address(name).toString());
        return start(Stream.concat(words.stream(), Stream.of(more)).toList());
    }

    /** A command on a thread of its own; returns once it says that it is ready, or ends. */
    private static CompletableFuture<Integer> start(List<String> words)
            throws ExecutionException, TimeoutException, InterruptedException {
        CompletableFuture<Integer> ready = new CompletableFuture<>();
        PrintWriter out = new PrintWriter(new Writer() {
            @Override
            public void write(char[] text, int from, int length) {
                if (new String(text, from, length).contains("\"ready\"")) {
                    ready.complete(0);
                }
            }

            @Override
            public void flush() {
                // Nothing is kept.
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        });
        CompletableFuture<Integer> code = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .start(() -> code.complete(Main.run(
                        out,
                        new PrintWriter(System.err, true, System.err.charset()),
                        Main.commands(),
                        words.toArray(String[]::new))));
        var _ = code.thenAccept(ready::complete);
        ready.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        return code;
    }

    /** A guest is parked, and copies of it come out again, by precopy and by postcopy. */
    private void park() throws IOException, QmpException, ExecutionException, TimeoutException, InterruptedException {
        Path store = folder.resolve("vm");
        CompletableFuture<Integer> source = run("ps");
        CompletableFuture<Integer> park =
                start(List.of("park", "--json", "--incoming", address("pin").toString(), "--store", store.toString()));
        try (QmpClient from = QmpClient.connect(address("ps"), DEADLINE)) {
            from.execute("migrate-set-capabilities", capabilities("events", "return-path"), DEADLINE);
            from.execute("stop", Json.object(), DEADLINE);
            from.execute("migrate", uri(address("pin"), false), DEADLINE);
            park.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
            from.execute("quit", Json.object(), DEADLINE);
        }
        source.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        for (String mode : List.of("precopy", "postcopy")) {
            unpark(store, mode);
        }
    }

    private void unpark(Path store, String mode)
            throws QmpException, ExecutionException, TimeoutException, InterruptedException {
        CompletableFuture<Integer> destination = run("d-" + mode, "--incoming", "defer");
        try (QmpClient to = QmpClient.connect(address("d-" + mode), DEADLINE)) {
            JsonObject terms = mode.equals("postcopy")
                    ? capabilities("events", "return-path", "postcopy-ram")
                    : capabilities("events", "return-path");
            to.execute("migrate-set-capabilities", terms, DEADLINE);
            to.execute("migrate-incoming", uri(address("out-" + mode), false), DEADLINE);
        }
        start(List.of(
                        "unpark",
                        store.toString(),
                        "--json",
                        "--clone",
                        "--even-unconfirmed",
                        "--mode",
                        mode,
                        "--to",
                        address("out-" + mode).toString()))
                .get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        try (QmpClient to = QmpClient.connect(address("d-" + mode), DEADLINE)) {
            to.execute("quit", Json.object(), DEADLINE);
        }
        destination.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }

    private static JsonObject capabilities(String... names) {
        return JsonObject.builder()
                .put(
                        "capabilities",
                        Json.array(Stream.of(names)
                                .map(name -> JsonObject.builder()
                                        .put("capability", name)
                                        .put("state", true)
                                        .build())
                                .toArray(Json[]::new)))
                .build();
    }

    private static JsonObject limit(long bytesPerSecond) {
        return JsonObject.builder()
                .put("max-postcopy-bandwidth", bytesPerSecond)
                .build();
    }

    private static JsonObject uri(Address address, boolean resume) {
        return JsonObject.builder()
                .put("uri", address.toString())
                .putAll(resume ? JsonObject.builder().put("resume", true).build() : Json.object())
                .build();
    }

    private static void await(QmpEvents events, String status) throws QmpException {
        events.await(event -> event.data().string("status", "").equals(status), DEADLINE);
    }

    private static long requests(QmpClient source) throws QmpException {
        return source.execute("query-migrate", Json.object(), DEADLINE) instanceof JsonObject answer
                        && answer.has("ram")
                ? answer.object("ram").int64("postcopy-requests", 0)
                : 0;
    }
}
