// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real QEMUs that are asked and set, before anything moves. */
class QemuPeerIT {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final String UUID = "11111111-2222-3333-4444-555555555555";

    @TempDir
    Path folder;

    private static Set<String> on(QemuProcess qemu) {
        Map<String, Boolean> states = new HashMap<>();
        for (Json one : (JsonArray) qemu.qmp("query-migrate-capabilities")) {
            states.put(((JsonObject) one).string("capability"), ((JsonObject) one).bool("state"));
        }
        states.values().removeIf(state -> !state);
        return states.keySet();
    }

    private static void switchOn(QemuProcess qemu, String... capabilities) {
        for (String capability : capabilities) {
            qemu.qmp(
                    "migrate-set-capabilities",
                    JsonObject.builder()
                            .put(
                                    "capabilities",
                                    Json.array(JsonObject.builder()
                                            .put("capability", capability)
                                            .put("state", true)
                                            .build()))
                            .build());
        }
    }

    private static void set(QemuProcess qemu, String parameter, Json value) {
        qemu.qmp(
                "migrate-set-parameters",
                JsonObject.builder().put(parameter, value).build());
    }

    @ParameterizedTest
    @EnumSource
    void itSaysWhoItIs(QemuVersion version) throws Exception {
        try (QemuProcess qemu = QemuProcess.Recipe.of(version)
                        .machine("pc")
                        .memory(24 << 20)
                        .with("-uuid", UUID)
                        .stopped()
                        .start(folder);
                QemuPeer peer = QemuPeer.connect(qemu.address(), LONG)) {
            assertThat(peer.identity().version().toString()).startsWith(version.series() + ".");
            assertThat(peer.identity().machine()).isEqualTo(version.newestMachine());
            assertThat(peer.identity().memoryBytes()).isEqualTo(24 << 20);
            assertThat(peer.identity().uuid()).isEqualTo(UUID);
            assertThat(peer.identity().version().mayBe72()).isEqualTo(version == QemuVersion.V7_2);
            PeerState state = peer.state();
            assertThat(state.status()).isEqualTo(PeerState.NONE);
            assertThat(state.runState()).isEqualTo("prelaunch");
            assertThat(state.running()).isFalse();

            qemu.qmp("cont");
            assertThat(peer.await(PeerState::running, "running", LONG).runState())
                    .isEqualTo("running");
            assertThat(peer.history().ran()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void itIsSetToWhatIsWantedAndNothingElse(QemuVersion version) throws Exception {
        try (QemuProcess qemu = QemuProcess.Recipe.of(version).start(folder);
                QemuPeer peer = QemuPeer.connect(qemu.address(), LONG)) {
            QemuSource source = new QemuSource(peer);
            switchOn(qemu, "xbzrle", "release-ram", "validate-uuid", "auto-converge", "pause-before-switchover");

            source.prepare(MigrationTerms.postcopy()
                    .with(Capability.POSTCOPY_PREEMPT)
                    .with("max-postcopy-bandwidth", 123 << 20));

            assertThat(on(qemu))
                    .containsExactlyInAnyOrder(
                            "events", "return-path", "postcopy-ram", "postcopy-preempt", "auto-converge");
            assertThat(((JsonObject) qemu.qmp("query-migrate-parameters")).int64("max-postcopy-bandwidth"))
                    .isEqualTo(123 << 20);

            source.prepare(MigrationTerms.precopy());
            assertThat(on(qemu)).containsExactlyInAnyOrder("events", "return-path", "auto-converge");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatItCannotBeSetToIsSaidBeforeAnythingMoves(QemuVersion version) throws Exception {
        try (QemuProcess qemu = QemuProcess.Recipe.of(version).start(folder);
                QemuPeer peer = QemuPeer.connect(qemu.address(), LONG)) {
            QemuSource source = new QemuSource(peer);
            MigrationTerms acknowledged = MigrationTerms.postcopy().with(Capability.SWITCHOVER_ACK);
            if (version == QemuVersion.V7_2) {
                assertThatThrownBy(() -> source.prepare(acknowledged.with("no-such-thing", 1)))
                        .isInstanceOfSatisfying(
                                PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.REFUSED))
                        .hasMessageContaining("QEMU 7.2")
                        .hasMessageContaining("it has no capability 'switchover-ack'")
                        .hasMessageContaining("it has no parameter 'no-such-thing'");
            } else {
                assertThatThrownBy(() -> source.prepare(acknowledged.with("no-such-thing", 1)))
                        .hasMessageContaining("it has no parameter 'no-such-thing'");
            }
            assertThat(on(qemu)).isEmpty();

            assertThatThrownBy(() -> source.prepare(MigrationTerms.precopy().with("multifd-channels", 0)))
                    .hasMessageContaining("refuses 'migrate-set-parameters'")
                    .hasMessageContaining("channels");
            assertThatThrownBy(() -> source.prepare(MigrationTerms.precopy().with(Capability.POSTCOPY_PREEMPT)))
                    .hasMessageContaining("refuses 'migrate-set-capabilities'");

            set(qemu, "tls-creds", Json.of("some"));
            assertThatThrownBy(() -> source.prepare(MigrationTerms.precopy()))
                    .hasMessageContaining("its parameter tls-creds is 'some'");
            set(qemu, "tls-creds", Json.of(""));
            MigrationTerms plain = MigrationTerms.precopy();
            assertThatThrownBy(() -> source.prepare(new MigrationTerms(plain.capabilities(), plain.parameters(), true)))
                    .hasMessageContaining("its parameter tls-creds is empty");
            source.prepare(MigrationTerms.precopy());
            assertThat(peer.state().status()).isEqualTo(PeerState.NONE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachHasItsPartAndNoOther(QemuVersion version) throws Exception {
        try (QemuProcess qemu = QemuProcess.Recipe.of(version).incoming().start(folder);
                QemuPeer peer = QemuPeer.connect(qemu.address(), LONG)) {
            QemuDestination destination = new QemuDestination(peer);
            assertThatThrownBy(() -> new QemuSource(peer).prepare(MigrationTerms.precopy()))
                    .hasMessageContaining("it waits for one itself");
            destination.prepare(MigrationTerms.postcopy());
            assertThatThrownBy(() -> destination.recover(Journey.ANY_PORT)).hasMessageContaining("nothing to recover");

            Address listening = (Address) destination.listen(Journey.ANY_PORT);

            assertThat(listening)
                    .isInstanceOfSatisfying(
                            Address.Tcp.class, tcp -> assertThat(tcp.port()).isPositive());
            assertThatThrownBy(() -> destination.prepare(MigrationTerms.postcopy()))
                    .hasMessageContaining("already");
            assertThat(destination.verdict(Duration.ZERO).fate()).isEqualTo(DestinationVerdict.Fate.WAITS);
            assertThatThrownBy(destination::pause).hasMessageContaining("refuses 'migrate-pause'");
            assertThatThrownBy(() -> QemuPeer.connect(qemu.address(), Duration.ofMillis(300)))
                    .isInstanceOfSatisfying(
                            PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.NO_ANSWER))
                    .hasMessageContaining("one client at a time");
        }
        try (QemuProcess qemu = QemuProcess.Recipe.of(version).start(folder);
                QemuPeer peer = QemuPeer.connect(qemu.address(), LONG)) {
            assertThatThrownBy(() -> new QemuDestination(peer).prepare(MigrationTerms.precopy()))
                    .hasMessageContaining("-incoming defer");
            assertThat(new QemuSource(peer).verdict(LONG).fate()).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
        }
    }
}
