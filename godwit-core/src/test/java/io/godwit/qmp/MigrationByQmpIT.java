// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.Endpoint;
import io.godwit.guest.ChurnGuest;
import io.godwit.guest.ChurnOptions;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.sys.Descriptor;
import io.godwit.sys.HandingClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole migration with a broken channel, as an operator sees it: through QMP and nothing else. */
class MigrationByQmpIT {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final ChurnOptions SMALL = new ChurnOptions(16 << 20, 1, 500, 1, 500, 30, 60, 4096, 1);

    @TempDir
    Path folder;

    private Operator source;
    private Operator destination;

    /** One side's endpoint, its QMP, and who talks to it. */
    private static final class Operator implements AutoCloseable {
        final ChurnGuest guest;
        final Endpoint endpoint;
        final EndpointQmp qmp;
        final QmpClient client;
        final QmpEvents events;

        Operator(String name, ChurnGuest guest, Endpoint endpoint, Path folder) throws Exception {
            this.guest = guest;
            this.endpoint = endpoint;
            qmp = EndpointQmp.serve(new Address.Unix(folder.resolve(name)), endpoint);
            client = QmpClient.connect(qmp.address(), LONG);
            events = client.events();
            ask(
                    "migrate-set-capabilities",
                    "{'capabilities':[{'capability':'events','state':true},{'capability':'postcopy-ram','state':true}]}");
        }

        JsonObject ask(String command, String arguments) throws Exception {
            return (JsonObject) client.execute(command, (JsonObject) Json.parse(arguments.replace('\'', '"')), LONG);
        }

        JsonObject ask(String command) throws Exception {
            return ask(command, "{}");
        }

        void hears(String name) throws QmpException {
            events.await(event -> event.name().equals(name), LONG);
        }

        void hearsStatus(String status) throws QmpException {
            events.await(
                    event -> event.name().equals("MIGRATION")
                            && event.data().string("status").equals(status),
                    LONG);
        }

        /** The downtime is known once the destination has said that it loaded the guest; a channel lost before that leaves the source uncertain. */
        void knowsThatTheGuestArrived() throws Exception {
            long end = System.nanoTime() + LONG.toNanos();
            while (!ask("query-migrate").has("downtime")) {
                assertThat(System.nanoTime()).as("waiting for the downtime").isLessThan(end);
                LockSupport.parkNanos(1_000_000);
            }
        }

        @Override
        public void close() throws IOException {
            client.close();
            qmp.close();
            endpoint.close();
            guest.memory().close();
        }
    }

    @BeforeEach
    void start() throws Exception {
        ChurnGuest here = ChurnGuest.create(SMALL, Backing.ANONYMOUS);
        ChurnGuest there = ChurnGuest.incoming(SMALL.size(), Backing.ANONYMOUS);
        source =
                new Operator("src", here, Endpoint.withGuest("qmp-src", here, System::nanoTime, new Random(1)), folder);
        destination = new Operator(
                "dst", there, Endpoint.forIncoming("qmp-dst", there, System::nanoTime, new Random(1)), folder);
    }

    @AfterEach
    void end() throws IOException {
        source.close();
        destination.close();
    }

    @Test
    void postcopyIsPausedRecoveredAndCompleted() throws Exception {
        source.ask("migrate-set-parameters", "{'max-bandwidth':4000000,'max-postcopy-bandwidth':1000000}");
        source.ask("cont");
        destination.ask("migrate-incoming", "{'uri':'unix:" + folder.resolve("first") + "'}");
        source.ask("migrate", "{'uri':'unix:" + folder.resolve("first") + "'}");
        source.hearsStatus("active");
        source.ask("migrate-start-postcopy");
        source.hears("STOP");
        source.hearsStatus("postcopy-active");
        destination.hears("RESUME");
        source.knowsThatTheGuestArrived();

        source.client.executeOob("migrate-pause", Json.object(), LONG);
        source.hearsStatus("postcopy-paused");
        destination.hearsStatus("postcopy-paused");
        assertThat(source.ask("query-migrate").string("status")).isEqualTo("postcopy-paused");
        assertThat(destination.ask("query-status").bool("running")).isTrue();
        assertThatThrownBy(() -> source.ask("cont")).isInstanceOf(QmpError.class);
        assertThatThrownBy(() -> source.ask("quit")).isInstanceOf(QmpError.class);

        source.ask("migrate-set-parameters", "{'max-postcopy-bandwidth':0}");
        destination.client.executeOob(
                "migrate-recover",
                JsonObject.builder()
                        .put("uri", "unix:" + folder.resolve("second"))
                        .build(),
                LONG);
        source.ask("migrate", "{'uri':'unix:" + folder.resolve("second") + "','resume':true}");
        source.hearsStatus("postcopy-recover");
        source.hearsStatus("completed");
        destination.hearsStatus("completed");

        destination.ask("stop");
        destination.hears("STOP");
        assertThat(destination.guest.verify().ok()).isTrue();
        JsonObject done = source.ask("query-migrate");
        assertThat(done.object("ram").int64("remaining")).isZero();
        assertThat(done.int64("x-godwit-recoveries-tried")).isEqualTo(1);
    }

    /** As a management program does it that lets neither end open anything: it connects both, and hands each its end. */
    @Test
    void aMigrationAndItsRecoveryGoOverDescriptorsThatWereHandedOver() throws Exception {
        source.ask("migrate-set-parameters", "{'max-bandwidth':4000000,'max-postcopy-bandwidth':1000000}");
        source.ask("cont");
        try (HandingClient there = handing("dst");
                HandingClient here = handing("src")) {
            handOver(here, there);
            tell(there, "'execute':'migrate-incoming','arguments':{'uri':'fd:mig'}");
            tell(here, "'execute':'migrate','arguments':{'uri':'fd:mig'}");
            source.hearsStatus("active");
            source.ask("migrate-start-postcopy");
            destination.hears("RESUME");
            source.knowsThatTheGuestArrived();
            source.client.executeOob("migrate-pause", Json.object(), LONG);
            source.hearsStatus("postcopy-paused");
            destination.hearsStatus("postcopy-paused");

            source.ask("migrate-set-parameters", "{'max-postcopy-bandwidth':0}");
            handOver(here, there);
            tell(there, "'exec-oob':'migrate-recover','arguments':{'uri':'fd:mig'}");
            tell(here, "'execute':'migrate','arguments':{'uri':'fd:mig','resume':true}");
        }
        // What was accepted goes on without them who asked for it.
        source.hearsStatus("completed");
        destination.hearsStatus("completed");

        destination.ask("stop");
        destination.hears("STOP");
        assertThat(destination.guest.verify().ok()).isTrue();
        assertThat(source.ask("query-migrate").int64("x-godwit-recoveries-tried"))
                .isEqualTo(1);
    }

    private HandingClient handing(String name) throws IOException {
        HandingClient client = new HandingClient(folder.resolve(name));
        assertThat(client.line()).contains("QMP");
        tell(client, "'execute':'qmp_capabilities','arguments':{'enable':['oob']}");
        return client;
    }

    private static void handOver(HandingClient here, HandingClient there) throws IOException {
        try (HandingClient.Ends ends = HandingClient.pair()) {
            tell(here, "'execute':'getfd','arguments':{'fdname':'mig'}", ends.one());
            tell(there, "'execute':'getfd','arguments':{'fdname':'mig'}", ends.other());
        }
    }

    /** Events may come first. */
    private static void tell(HandingClient client, String command, Descriptor... handed) throws IOException {
        client.send("{" + command.replace('\'', '"') + "}", handed);
        String line = client.line();
        while (line.contains("\"event\"")) {
            line = client.line();
        }
        assertThat(line).isEqualTo("{\"return\": {}}");
    }

    @Test
    void quitIsAnsweredAndTold() throws Exception {
        source.ask("quit");
        source.hears("SHUTDOWN");
        source.endpoint.ended().join();

        assertThatThrownBy(() -> source.ask("query-migrate"))
                .isInstanceOf(QmpError.class)
                .hasMessageContaining("the endpoint has ended");
        source.qmp.close();
        assertThatThrownBy(() -> source.events.next(LONG)).isInstanceOf(QmpDisconnected.class);
    }
}
