// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.BootSector;
import io.godwit.net.Address;
import io.godwit.net.Fault;
import io.godwit.net.FaultPlan;
import io.godwit.qemu.QemuVersion;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What became of a guest after something went wrong at a bad moment, as real QEMUs tell it. */
class VerdictIT {
    private static final int MIB = 1 << 20;
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final BootSector GUEST = BootSector.counting(MIB, 14 * MIB).slow(100_000);

    @TempDir
    Path folder;

    private Journey journey(QemuVersion version) throws Exception {
        return new Journey(folder, new QemuVersion.Pair(version, version, version.newestMachine()), GUEST);
    }

    @ParameterizedTest
    @EnumSource
    void aPrecopyThatIsCutGoesOnAtTheSourceAndNeverCameToTheDestination(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.prepare(
                            MigrationTerms.precopy().with("max-bandwidth", 0),
                            FaultPlan.of(new Fault.CutAfter(Fault.Direction.FORWARD, 20_000)))
                    .go();

            SourceVerdict here = journey.source.verdict(Journey.LONG);
            assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
            assertThat(here.provesThatItLeft()).isFalse();
            DestinationVerdict there = journey.destination.verdict(Journey.LONG);
            assertThat(there.fate())
                    .as("%s", there)
                    .isEqualTo(
                            version == QemuVersion.V7_2
                                    ? DestinationVerdict.Fate.GONE
                                    : DestinationVerdict.Fate.FAILED);
            assertThat(there.provesThatItNeverCame()).as("%s", there).isTrue();
            if (version != QemuVersion.V7_2) {
                assertThatThrownBy(() -> journey.destination.prepare(MigrationTerms.precopy()))
                        .hasMessageContaining("start it anew");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCancelledOneGoesOnAtTheSource(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.prepare(MigrationTerms.precopy().with("max-bandwidth", 65536), FaultPlan.NONE)
                    .go();
            journey.source.peer().await(state -> state.is("active"), "active", Journey.LONG);
            SourceVerdict meanwhile = journey.source.verdict(SHORT);
            assertThat(meanwhile.fate()).as("%s", meanwhile).isEqualTo(SourceVerdict.Fate.UNDECIDED);

            journey.source.cancel();

            SourceVerdict here = journey.source.verdict(Journey.LONG);
            assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
            assertThat(here.sentence()).contains("cancelled");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whenTheLastWordOfAPrecopyIsLostItRunsAtBothAndEachEndTellsTheTruth(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.prepare(
                            MigrationTerms.precopy().with("max-bandwidth", MIB).with("downtime-limit", 1),
                            FaultPlan.NONE)
                    .go();
            journey.source.peer().await(state -> state.is("active"), "active", Journey.LONG);
            journey.relay.setFault(FaultPlan.of(new Fault.Swallow(Fault.Direction.BACK)));
            journey.set("downtime-limit", 2000);
            journey.set("max-bandwidth", 0);

            DestinationVerdict there = journey.destination.verdict(Journey.LONG);
            assertThat(there.fate()).as("%s", there).isEqualTo(DestinationVerdict.Fate.RUNS_HERE);
            SourceVerdict waits = journey.source.verdict(SHORT);
            assertThat(waits.fate()).as("%s", waits).isEqualTo(SourceVerdict.Fate.UNDECIDED);

            journey.relay.cut();

            SourceVerdict here = journey.source.verdict(Journey.LONG);
            assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aQemuThatEndsIsGone(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.prepare(MigrationTerms.precopy().with("max-bandwidth", 65536), FaultPlan.NONE)
                    .go();
            journey.source.peer().await(state -> state.is("active"), "active", Journey.LONG);

            journey.to.qmp("quit");

            DestinationVerdict there = journey.destination.verdict(Journey.LONG);
            assertThat(there.fate()).as("%s", there).isEqualTo(DestinationVerdict.Fate.GONE);
            assertThat(there.provesThatItNeverCame()).as("%s", there).isTrue();
            assertThat(journey.destination.peer().history().goodbye()).isEqualTo("host-qmp-quit");

            journey.from.kill();

            SourceVerdict here = journey.source.verdict(Journey.LONG);
            assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.GONE);
            assertThat(here.provesThatItLeft()).isTrue();
            assertThatThrownBy(journey.source::cancel).isInstanceOf(PeerException.class);
        }
    }

    /** Somebody connects to the port of a recovery and goes away: a health check, or a path that breaks before the first byte. */
    @ParameterizedTest
    @EnumSource
    void aRecoveryThatEndsBeforeItsFirstByteCostsSomeTheirGuestAndTheySaySo(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.toPaused();
            Address.Tcp listening = (Address.Tcp) journey.destination.recover(Journey.ANY_PORT);

            new Socket(listening.host(), listening.port()).close();

            QemuPeer there = journey.destination.peer();
            switch (version) {
                case V7_2 -> {
                    journey.to.awaitExit();
                    fate(journey, DestinationVerdict.Fate.GONE);
                }
                case V10_0 -> {
                    there.await(_ -> there.history().words().contains("postcopy-recover"), "told", Journey.LONG);
                    there.await(state -> state.is("postcopy-paused"), "paused again", Journey.LONG);
                    journey.listenAgain();
                    journey.set("max-postcopy-bandwidth", 0);
                    journey.source.resume(journey.relay.address());
                    journey.arrived();
                }
                case V11_1 -> {
                    there.await(state -> !state.is("postcopy-paused"), "told", Journey.LONG);
                    fate(journey, DestinationVerdict.Fate.GAVE_UP);
                    assertThatThrownBy(() -> journey.destination.recover(Journey.ANY_PORT))
                            .hasMessageContaining("nothing to recover: it is failed");
                }
            }
        }
    }

    private static void fate(Journey journey, DestinationVerdict.Fate fate) throws PeerException {
        DestinationVerdict there = journey.destination.verdict(Journey.LONG);
        assertThat(there.fate()).as("%s", there).isEqualTo(fate);
        assertThat(there.mayHaveRun()).isTrue();
        assertThat(there.provesThatItArrived() || there.provesThatItNeverCame()).isFalse();
    }

    /** 10.0 and 11.1 start a guest again that runs at the destination; 7.2 hangs. So who takes a guest from a QEMU must ask it before using what arrived. */
    @ParameterizedTest
    @EnumSource
    void whenTheLastWordOfAPostcopyIsLostItRunsAtBothOrHangsAndTheSourceSaysSo(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.prepare(Journey.slowPostcopy(), Journey.SLOW_NETWORK).go();
            journey.toPostcopy();
            journey.relay.setFault(FaultPlan.of(new Fault.Swallow(Fault.Direction.BACK)));
            journey.set("max-postcopy-bandwidth", 0);
            journey.awaitCompleted();

            journey.relay.cut();

            DestinationVerdict there = journey.destination.verdict(Journey.LONG);
            assertThat(there.fate()).as("%s", there).isEqualTo(DestinationVerdict.Fate.RUNS_HERE);
            if (version == QemuVersion.V7_2) {
                SourceVerdict hangs = journey.source.verdict(SHORT);
                assertThat(hangs.fate()).as("%s", hangs).isEqualTo(SourceVerdict.Fate.UNDECIDED);
                assertThat(hangs.sentence()).contains("for ever");
                assertThatThrownBy(journey.source::pause).hasMessageContaining("refuses 'migrate-pause'");
            } else {
                SourceVerdict here = journey.source.verdict(Journey.LONG);
                assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
            }
        }
    }

    /** The trap of {@code spec/sequences.md §6.4}, and the way out of it that newer ones have. */
    @ParameterizedTest
    @EnumSource
    void aRecoveryThatHearsNothingIsEndedByPauseButNotOn72(QemuVersion version) throws Exception {
        try (Journey journey = journey(version)) {
            journey.toPaused();
            journey.listenAgain();
            journey.relay.setFault(FaultPlan.of(new Fault.Swallow(Fault.Direction.BACK)));
            journey.source.resume(journey.relay.address());
            journey.source.peer().await(state -> state.is("postcopy-recover"), "postcopy-recover", Journey.LONG);
            assertThat(journey.source.verdict(SHORT).fate()).isEqualTo(SourceVerdict.Fate.UNDECIDED);

            if (journey.source.peer().identity().version().mayBe72()) {
                assertThatThrownBy(journey.source::pause).hasMessageContaining("refuses 'migrate-pause'");
                return;
            }
            journey.source.pause();
            journey.bothArePaused();
            journey.listenAgain();
            journey.set("max-postcopy-bandwidth", 0);
            journey.source.resume(journey.relay.address());
            journey.arrived();
        }
    }
}
