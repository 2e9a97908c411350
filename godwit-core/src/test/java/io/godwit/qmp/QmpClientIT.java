// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QmpClientIT {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(150);

    @TempDir
    Path folder;

    private final CountDownLatch slowMayEnd = new CountDownLatch(1);

    private QmpServer serve() throws Exception {
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT)
                .command("echo")
                .oob()
                .takes("value", ArgumentType.ANY)
                .runs(arguments -> arguments.require("value"))
                .command("slow")
                .runs(_ -> {
                    try {
                        assertThat(slowMayEnd.await(20, TimeUnit.SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    return Json.of("done");
                })
                .build();
        return QmpServer.listen(new Address.Unix(folder.resolve("q")), table);
    }

    private static JsonObject value(long value) {
        return JsonObject.builder().put("value", value).build();
    }

    @Test
    void connectsNegotiatesAndAsks() throws Exception {
        try (QmpServer server = serve();
                QmpClient client = QmpClient.connect(server.address(), LONG)) {
            assertThat(client.greeting().version().string("package")).startsWith("godwit");
            assertThat(client.oob()).isTrue();
            assertThat(client.execute("echo", value(7), LONG)).isEqualTo(Json.of(7));
            assertThatThrownBy(() -> client.execute("nope", Json.object(), LONG))
                    .isInstanceOfSatisfying(
                            QmpError.class,
                            error -> assertThat(error.errorClass()).isEqualTo("CommandNotFound"))
                    .hasMessageContaining("'nope'");
            assertThat(client.isOpen()).isTrue();
        }
    }

    @Test
    void aDeadlineEndsAWaitAndNotTheSession() throws Exception {
        try (QmpServer server = serve();
                QmpClient client = QmpClient.connect(server.address(), LONG)) {
            assertThatThrownBy(() -> client.execute("slow", Json.object(), SHORT))
                    .isInstanceOf(QmpTimeout.class)
                    .hasMessageContaining("'slow' within 150 ms");
            assertThat(client.executeOob("echo", value(1), LONG)).isEqualTo(Json.of(1));
            slowMayEnd.countDown();
            assertThat(client.execute("echo", value(2), LONG)).isEqualTo(Json.of(2));
        }
    }

    @Test
    void manyThreadsShareOneConnection() throws Exception {
        try (QmpServer server = serve();
                QmpClient client = QmpClient.connect(server.address(), LONG);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Json>> answers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                JsonObject arguments = value(i);
                boolean oob = i % 3 == 0;
                answers.add(threads.submit(() ->
                        oob ? client.executeOob("echo", arguments, LONG) : client.execute("echo", arguments, LONG)));
            }
            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get()).isEqualTo(Json.of(i));
            }
        }
    }

    @Test
    void answersAreMatchedByIdHoweverTheyAreOrdered() throws Exception {
        try (ScriptedPeer peer = new ScriptedPeer(folder, script -> {
                    script.negotiate();
                    JsonObject one = script.hear();
                    JsonObject two = script.hear();
                    for (JsonObject command : List.of(two, one)) {
                        script.say("{\"id\":" + command.get("id") + ",\"return\":\"" + command.string("execute") + "\"}"
                                + "{\"event\":\"STOP\",\"timestamp\":{\"seconds\":1,\"microseconds\":2}}");
                    }
                });
                QmpClient client = QmpClient.connect(peer.address(), LONG);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Json> a = threads.submit(() -> client.execute("a", Json.object(), LONG));
            Future<Json> b = threads.submit(() -> client.execute("b", Json.object(), LONG));

            assertThat(a.get()).isEqualTo(Json.of("a"));
            assertThat(b.get()).isEqualTo(Json.of("b"));
            assertThat(client.oob()).isFalse();
        }
    }

    @Test
    void nobodyThereIsOneSentence() {
        assertThatThrownBy(() -> QmpClient.connect(new Address.Unix(folder.resolve("none")), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessage("cannot connect to 'unix:" + folder.resolve("none") + "': there is no such socket");
        assertThatThrownBy(() -> QmpClient.connect(new Address.Tcp("127.0.0.1", 1), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("connection refused, nobody listens there");
        assertThatThrownBy(() -> QmpClient.connect(new Address.Tcp("no-such-host.invalid", 1), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("name is unknown");
    }

    @Test
    void aSilentServerEndsWithTheDeadline() throws Exception {
        try (ScriptedPeer peer = new ScriptedPeer(folder, script -> script.hear())) {
            assertThatThrownBy(() -> QmpClient.connect(peer.address(), SHORT))
                    .isInstanceOf(QmpTimeout.class)
                    .hasMessageContaining("did not greet");
        }
    }

    @Test
    void aServerThatDoesNotEvenAcceptEndsWithTheDeadline() throws Exception {
        List<SocketChannel> before = new ArrayList<>();
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            InetSocketAddress there = (InetSocketAddress) listener.getLocalAddress();
            for (int i = 0; i < 2; i++) { // a backlog of 1 takes two; the system does not answer a third
                before.add(SocketChannel.open(there));
            }
            assertThatThrownBy(() -> QmpClient.connect(new Address.Tcp("127.0.0.1", there.getPort()), SHORT))
                    .isInstanceOf(QmpTimeout.class)
                    .hasMessageContaining("no connection");
        } finally {
            for (SocketChannel channel : before) {
                channel.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 400 Bad Request\r\n",
                "{\"QMP\":1}",
                "{\"QMP\":{\"version\":{},\"capabilities\":[]},\"QMP\":{}}",
                "{\"hello\":1}",
                "{\"execute\":\"stop\"}",
                "[]",
                "{\"error\":{\"class\":\"GenericError\",\"desc\":\"what?\"}}",
            })
    void whoSpeaksSomethingElseIsLeft(String speech) throws Exception {
        try (ScriptedPeer peer = new ScriptedPeer(folder, script -> {
            script.say(speech);
            assertThat(script.hear()).isNotNull();
        })) {
            assertThatThrownBy(() -> QmpClient.connect(peer.address(), LONG))
                    .isInstanceOf(QmpDisconnected.class)
                    .hasMessageContaining("does not speak QMP");
        }
    }

    @Test
    void aServerThatGoesEndsAllWaits() throws Exception {
        try (ScriptedPeer peer = new ScriptedPeer(folder, script -> {
                    script.negotiate();
                    script.hear();
                    script.hangUp();
                });
                QmpClient client = QmpClient.connect(peer.address(), LONG);
                QmpEvents events = client.events()) {
            assertThatThrownBy(() -> client.execute("quit", Json.object(), LONG))
                    .isInstanceOf(QmpDisconnected.class)
                    .hasMessageContaining("is gone");
            assertThatThrownBy(() -> events.next(LONG)).isInstanceOf(QmpDisconnected.class);
            assertThatThrownBy(() -> client.execute("again", Json.object(), LONG))
                    .isInstanceOf(QmpDisconnected.class);
            assertThatThrownBy(() -> client.awaitEvent(_ -> true, LONG)).isInstanceOf(QmpDisconnected.class);
            assertThat(client.isOpen()).isFalse();
        }
    }

    @Test
    void closingFromAnotherThreadEndsAllWaits() throws Exception {
        try (QmpServer server = serve();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            QmpClient client = QmpClient.connect(server.address(), LONG);
            Future<Json> command = threads.submit(() -> client.execute("slow", Json.object(), LONG));
            Future<QmpMessage.Event> event = threads.submit(() -> client.awaitEvent(_ -> true, LONG));
            while (server.clients() == 0) {
                Thread.onSpinWait();
            }
            client.close();

            assertThatThrownBy(command::get).cause().isInstanceOf(QmpDisconnected.class);
            assertThatThrownBy(event::get).cause().isInstanceOf(QmpDisconnected.class);
            slowMayEnd.countDown();
        }
    }

    @Test
    void waitsForTheEventThatIsWanted() throws Exception {
        try (QmpServer server = serve();
                QmpClient client = QmpClient.connect(server.address(), LONG);
                QmpEvents events = client.events()) {
            for (String status : List.of("setup", "active", "completed")) {
                server.broadcast(
                        "MIGRATION", JsonObject.builder().put("status", status).build());
            }
            QmpMessage.Event event = events.await(e -> e.data().string("status").equals("active"), LONG);

            assertThat(event.name()).isEqualTo("MIGRATION");
            assertThat(events.next(LONG).data().string("status")).isEqualTo("completed");
            assertThatThrownBy(() -> events.next(SHORT))
                    .isInstanceOf(QmpTimeout.class)
                    .hasMessageContaining("150 ms");
        }
    }

    @Test
    void aListenerHearsAllEventsAndItsFailureIsItsOwn() throws Exception {
        LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        try (QmpServer server = serve();
                QmpClient client = QmpClient.connect(server.address(), LONG)) {
            client.addListener(event -> {
                heard.add(event.name());
                throw new IllegalStateException("a listener's bug");
            });
            server.broadcast("STOP", Json.object());
            server.broadcast("RESUME", Json.object());

            assertThat(heard.poll(20, TimeUnit.SECONDS)).isEqualTo("STOP");
            assertThat(heard.poll(20, TimeUnit.SECONDS)).isEqualTo("RESUME");
            assertThat(client.execute("echo", value(1), LONG)).isEqualTo(Json.of(1));
        }
    }

    @Test
    void eventsThatNobodyTakesGiveWayToNewerOnes() {
        QmpEvents events = new QmpEvents(_ -> {});
        for (int i = 0; i < QmpEvents.CAPACITY + 3; i++) {
            events.add(new QmpMessage.Event("E" + i, Json.object(), 0, 0));
        }
        assertThat(events.lost()).isEqualTo(3);
        assertThat(CompletableFuture.supplyAsync(() -> {
                            try {
                                return events.next(LONG).name();
                            } catch (QmpException e) {
                                throw new AssertionError(e);
                            }
                        })
                        .join())
                .isEqualTo("E3");
    }
}
