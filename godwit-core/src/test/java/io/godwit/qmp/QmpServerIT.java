// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QmpServerIT {
    @TempDir
    Path folder;

    private final CountDownLatch slowBegan = new CountDownLatch(1);
    private final CountDownLatch slowMayEnd = new CountDownLatch(1);
    private Address.Unix address;
    private QmpServer server;

    private static CommandTable.Builder echo(CommandTable.Builder table) {
        return table.command("echo")
                .takes("text", ArgumentType.STRING)
                .mayTake("times", ArgumentType.INT)
                .runs(arguments -> Json.of(arguments.string("text").repeat((int) arguments.int64("times", 1))));
    }

    private CommandTable table() {
        return echo(CommandTable.builder(new QmpVersion(10, 0, 0, "godwit-test")))
                .command("slow")
                .runs(_ -> {
                    slowBegan.countDown();
                    try {
                        assertThat(slowMayEnd.await(20, TimeUnit.SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    return Json.of("done");
                })
                .command("now")
                .oob()
                .runs(_ -> Json.of("at once"))
                .command("broken")
                .runs(_ -> {
                    throw new IllegalStateException("bug");
                })
                .build();
    }

    @BeforeEach
    void serve() throws IOException {
        address = new Address.Unix(folder.resolve("qmp.sock"));
        server = serve(new QmpServer.Limits(2, 1000, 20_000, Duration.ofSeconds(10)));
    }

    private QmpServer serve(QmpServer.Limits limits) throws IOException {
        InstantSource clock = InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000, 123_456_789));
        return QmpServer.listen(QmpAccess.local(address), table(), clock, limits);
    }

    @AfterEach
    void end() {
        slowMayEnd.countDown();
        server.close();
    }

    @Test
    void greetsAndInsistsOnNegotiation() throws Exception {
        try (RawClient client = RawClient.open(address)) {
            assertThat(client.line())
                    .isEqualTo("{\"QMP\": {\"version\": {\"qemu\": {\"major\": 10, \"minor\": 0, \"micro\": 0},"
                            + " \"package\": \"godwit-test\"}, \"capabilities\": [\"oob\"]}}");
            assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"text\":\"x\"},\"id\":7}"))
                    .contains("\"class\": \"CommandNotFound\"")
                    .contains("qmp_capabilities")
                    .endsWith("\"id\": 7}");
            assertThat(client.ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\",\"fly\"]}}"))
                    .contains("GenericError")
                    .contains("fly");
            assertThat(client.ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":\"oob\"}}"))
                    .contains("must be an array, got string");
            assertThat(client.ask("{\"execute\":\"qmp_capabilities\"}")).isEqualTo("{\"return\": {}}");
            assertThat(client.ask("{\"execute\":\"qmp_capabilities\"}"))
                    .contains("CommandNotFound")
                    .contains("negotiated already");
        }
    }

    @Test
    void answersWithTheIdWhateverItIs() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            for (String id :
                    new String[] {"1", "\"a\"", "null", "[1, {\"b\": 2.50}]", "18446744073709551615", "false"}) {
                assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"text\":\"x\"},\"id\":" + id + "}"))
                        .isEqualTo("{\"return\": \"x\", \"id\": " + id + "}");
                assertThat(client.ask("{\"execute\":\"nope\",\"id\":" + id + "}"))
                        .contains("CommandNotFound")
                        .endsWith(", \"id\": " + id + "}");
            }
            assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"text\":\"x\"}}"))
                    .isEqualTo("{\"return\": \"x\"}");
        }
    }

    @Test
    void takesManyMessagesInOnePacketAndOneInManyPackets() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            String one = "{'execute':'echo','arguments':{'text':'é}\"'},'id':1}";
            client.send(one + one + one);
            for (int i = 0; i < 3; i++) {
                assertThat(client.receive().string("return")).isEqualTo("é}\"");
            }
            for (byte b : one.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
                client.send(new byte[] {b});
            }
            assertThat(client.receive().string("return")).isEqualTo("é}\"");
        }
    }

    @Test
    void namesWhatIsWrongWithArguments() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            assertThat(client.ask("{\"execute\":\"echo\"}"))
                    .contains("GenericError")
                    .contains("'echo' needs the argument text (a string)");
            assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"text\":1}}"))
                    .contains("argument 'text' of 'echo' must be a string, got int");
            assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"text\":\"x\",\"times\":1.5}}"))
                    .contains("argument 'times' of 'echo' must be an int, got number");
            assertThat(client.ask("{\"execute\":\"echo\",\"arguments\":{\"txt\":\"x\"}}"))
                    .contains("'echo' has no argument 'txt'; it takes text (a string), times (an int, optional)");
            assertThat(client.ask("{\"execute\":\"now\",\"arguments\":{\"x\":1}}"))
                    .contains("it takes none");
        }
    }

    @Test
    void outlivesMalformedMessages() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            String good = "{\"execute\":\"echo\",\"arguments\":{\"text\":\"x\"},\"id\":1}";
            for (String bad : new String[] {
                "hello\n",
                "{\"execute\":nope}",
                "{\"execute\":\"echo\",\"execute\":\"echo\"}",
                "{\"execute\":\"echo\",\"arguments\":{\"text\":\"a\",\"text\":\"b\"}}",
                "{\"execute\":\"echo\",\"extra\":1}",
                "{\"exec\":\"echo\"}",
                "{\"execute\":\"echo\",\"exec-oob\":\"echo\"}",
                "{\"execute\":[]}",
                "{\"execute\":\"echo\",\"arguments\":[]}",
                "[1]",
                "{\"execute\":\"echo\n",
                "{\"execute\":\"" + "x".repeat(2000) + "\"}",
                "{\"a\":" + "[".repeat(400) + "]".repeat(399) + "}\u0001\n",
            }) {
                assertThat(client.ask(bad)).as(bad).contains("GenericError").doesNotContain("unexpectedly");
                assertThat(client.ask(good)).as("after " + bad).isEqualTo("{\"return\": \"x\", \"id\": 1}");
            }
            assertThat(client.ask("{\"id\":5,\"execute\":\"echo\",\"extra\":1}"))
                    .contains("'extra'")
                    .endsWith("\"id\": 5}");
        }
    }

    @Test
    void keepsOrderAlsoBetweenAnswersAndErrors() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            client.send("{\"execute\":\"slow\"}{\"execute\":oops}{\"execute\":\"broken\",\"id\":3}");
            assertThat(slowBegan.await(20, TimeUnit.SECONDS)).isTrue();
            slowMayEnd.countDown();

            assertThat(client.line()).isEqualTo("{\"return\": \"done\"}");
            assertThat(client.line()).contains("no JSON").contains("at byte 11");
            assertThat(client.line())
                    .contains("'broken' failed unexpectedly")
                    .contains("bug")
                    .endsWith("\"id\": 3}");
        }
    }

    @Test
    void anOutOfBandCommandOvertakesABlockedOne() throws Exception {
        try (RawClient client = RawClient.negotiated(address, "oob")) {
            client.send("{\"execute\":\"slow\",\"id\":1}{\"execute\":\"now\",\"id\":2}");
            assertThat(slowBegan.await(20, TimeUnit.SECONDS)).isTrue();

            assertThat(client.ask("{\"exec-oob\":\"now\",\"id\":3}")).isEqualTo("{\"return\": \"at once\", \"id\": 3}");
            assertThat(client.ask("{\"exec-oob\":\"echo\",\"arguments\":{\"text\":\"x\"},\"id\":4}"))
                    .contains("'echo' cannot be carried out out-of-band");
            assertThat(client.ask("{\"exec-oob\":\"nope\",\"id\":5}")).contains("CommandNotFound");
            slowMayEnd.countDown();
            assertThat(client.line()).isEqualTo("{\"return\": \"done\", \"id\": 1}");
            assertThat(client.line()).isEqualTo("{\"return\": \"at once\", \"id\": 2}");
        }
    }

    @Test
    void outOfBandNeedsTheCapability() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            assertThat(client.ask("{\"exec-oob\":\"now\"}"))
                    .contains("GenericError")
                    .contains("oob");
        }
    }

    @Test
    void negotiationIsDoneForWhatComesRightBehindIt() throws Exception {
        try (RawClient client = RawClient.open(address)) {
            client.receive();
            client.send(
                    "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}{\"exec-oob\":\"now\"}");

            assertThat(client.line()).isEqualTo("{\"return\": {}}");
            assertThat(client.line()).isEqualTo("{\"return\": \"at once\"}");
        }
    }

    @Test
    void tellsEventsToThoseWhoNegotiated() throws Exception {
        try (RawClient one = RawClient.negotiated(address);
                RawClient two = RawClient.open(address)) {
            two.receive();
            server.broadcast(
                    "MIGRATION", JsonObject.builder().put("status", "setup").build());
            server.broadcast("STOP", Json.object());

            assertThat(one.line())
                    .isEqualTo("{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123456}, \"event\":"
                            + " \"MIGRATION\", \"data\": {\"status\": \"setup\"}}");
            assertThat(one.line())
                    .isEqualTo("{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123456}, \"event\":"
                            + " \"STOP\"}");
            assertThat(two.ask("{\"execute\":\"qmp_capabilities\"}")).isEqualTo("{\"return\": {}}");
        }
    }

    @Test
    void aClientThatDoesNotReadIsDroppedAndHoldsNobodyUp() throws Exception {
        try (RawClient sleeper = new RawClient(address);
                RawClient other = RawClient.negotiated(address)) {
            sleeper.send("{\"execute\":\"qmp_capabilities\"}");
            JsonObject data = JsonObject.builder().put("text", "x".repeat(2000)).build();
            int sent = 0;
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (server.clients() == 2 && System.nanoTime() < until) {
                server.broadcast("NEWS", data);
                sent++;
                assertThat(other.line()).contains("NEWS"); // the one who reads keeps pace
            }

            assertThat(server.clients()).as("after %d events", sent).isEqualTo(1);
            assertThat(other.ask("{\"execute\":\"now\"}")).isEqualTo("{\"return\": \"at once\"}");
        }
    }

    @Test
    void aClientThatFloodsWithoutReadingIsHeldBackNotServedIntoMemory() throws Exception {
        try (RawClient flooder = new RawClient(address);
                RawClient other = RawClient.negotiated(address)) {
            int packets = 2000; // whose answers are a hundred megabytes
            AtomicInteger sent = new AtomicInteger();
            Thread flood = Thread.ofVirtual().start(() -> {
                try {
                    flooder.send("{\"execute\":\"qmp_capabilities\"}");
                    String many =
                            "{\"execute\":\"echo\",\"arguments\":{\"text\":\"0123456789\",\"times\":50}}".repeat(100);
                    while (sent.get() < packets) {
                        flooder.send(many);
                        sent.incrementAndGet();
                    }
                } catch (IOException e) {
                    assertThat(e).isNotNull(); // closed below
                }
            });
            int before;
            do { // until the socket takes no more
                before = sent.get();
            } while (!flood.join(Duration.ofMillis(500)) && sent.get() > before);
            assertThat(sent.get()).isLessThan(packets);

            assertThat(other.ask("{\"execute\":\"now\"}")).isEqualTo("{\"return\": \"at once\"}");
        }
    }

    @Test
    void boundsTheNumberOfClients() throws Exception {
        try (RawClient one = RawClient.negotiated(address);
                RawClient two = RawClient.negotiated(address);
                RawClient three = RawClient.open(address)) {
            assertThat(three.line()).contains("2 QMP clients at once");
            assertThat(three.isOver()).isTrue();
            two.hangUp();
            while (server.clients() > 1) {
                Thread.onSpinWait();
            }
            try (RawClient four = RawClient.negotiated(address)) {
                assertThat(four.ask("{\"execute\":\"now\"}")).contains("at once");
            }
            assertThat(one.ask("{\"execute\":\"now\"}")).contains("at once");
        }
    }

    @Test
    void answersWhatWasAskedBeforeAHalfClose() throws Exception {
        try (RawClient client = RawClient.open(address)) {
            client.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"now\",\"id\":1}{\"execute\":");
            client.sentAll();

            assertThat(client.line()).startsWith("{\"QMP\"");
            assertThat(client.line()).isEqualTo("{\"return\": {}}");
            assertThat(client.line()).isEqualTo("{\"return\": \"at once\", \"id\": 1}");
            assertThat(client.line()).contains("ended inside of a message");
            assertThat(client.isOver()).isTrue();
        }
    }

    @Test
    void shutsTheDoorOnWebBrowsers() throws Exception {
        try (RawClient browser = RawClient.open(address)) {
            browser.receive();
            browser.send(
                    "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{\"execute\":\"qmp_capabilities\"}{\"execute\":\"slow\"}");

            assertThat(browser.line()).contains("not HTTP");
            assertThat(browser.isOver()).isTrue();
            assertThat(slowBegan.getCount()).isEqualTo(1);
        }
    }

    @Test
    void closingFlushesAnswersAndEndsSessions() throws Exception {
        try (RawClient client = RawClient.negotiated(address)) {
            client.send("{\"execute\":\"slow\",\"id\":1}");
            assertThat(slowBegan.await(20, TimeUnit.SECONDS)).isTrue();
            Thread closer = Thread.ofVirtual().start(server::close);
            slowMayEnd.countDown();

            assertThat(client.line()).isEqualTo("{\"return\": \"done\", \"id\": 1}");
            assertThat(client.isOver()).isTrue();
            assertThat(closer.join(Duration.ofSeconds(20))).isTrue();
            assertThat(server.clients()).isZero();
        }
    }
}
