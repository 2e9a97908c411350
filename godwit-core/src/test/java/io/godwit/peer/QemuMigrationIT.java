// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.BootSector;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.protocol.Capability;
import io.godwit.qemu.QemuVersion;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A guest that writes all the time goes from one real QEMU to another, driven by this package: who drives both ends right will drive one right, too. */
class QemuMigrationIT {
    private static final int MIB = 1 << 20;
    private static final BootSector COUNTING =
            BootSector.counting(MIB, 14 * MIB).slow(100_000);
    private static final BootSector NOISE = BootSector.noise(MIB, 8 * MIB).slow(100_000);

    @TempDir
    Path folder;

    static List<QemuVersion.Pair> upgrades() {
        return QemuVersion.upgrades();
    }

    @ParameterizedTest
    @MethodSource("upgrades")
    void aRunningGuestArrivesWholeByPrecopy(QemuVersion.Pair pair) throws Exception {
        try (Journey journey = new Journey(folder, pair, COUNTING)) {
            journey.prepare(
                    MigrationTerms.precopy().with("downtime-limit", 2000).with("max-bandwidth", 0), FaultPlan.NONE);

            journey.go();

            journey.arrived();
            assertThat(journey.source.peer().history().words())
                    .containsSubsequence("setup", "STOP", "completed")
                    .contains("MIGRATION_PASS");
            assertThat(journey.destination.peer().history().words())
                    .containsSubsequence("setup", "active")
                    .contains("RESUME", "completed");
            assertThatThrownBy(journey.source::cont).hasMessageContaining("it would run twice");
        }
    }

    @ParameterizedTest
    @MethodSource("upgrades")
    void aPostcopyThatIsCutIsRecoveredThoughTheFirstTriesComeToNothing(QemuVersion.Pair pair) throws Exception {
        try (Journey journey = new Journey(folder, pair, NOISE)) {
            journey.prepare(Journey.slowPostcopy(), Journey.SLOW_NETWORK);
            journey.go();
            journey.toPostcopy();
            journey.cutAfter(64 << 10);
            journey.bothArePaused();

            assertThat(journey.destination.peer().history().ran()).isTrue();
            assertThatThrownBy(journey.source::cont).hasMessageContaining("it would run twice");
            assertThatThrownBy(journey.source::cancel).hasMessageContaining("cannot be cancelled");

            journey.source.resume(new Address.Tcp("127.0.0.1", 1));
            journey.bothArePaused();
            journey.listenAgain();
            journey.listenAgain();
            journey.set("max-postcopy-bandwidth", 0);
            journey.source.resume(journey.relay.address());

            journey.arrived();
            assertThat(journey.source.peer().history().words())
                    .containsSubsequence(
                            "postcopy-active", "postcopy-paused", "postcopy-recover", "postcopy-active", "completed");
            assertThatThrownBy(() -> journey.source.resume(journey.relay.address()))
                    .hasMessageContaining("nothing to recover");
        }
    }

    @ParameterizedTest
    @MethodSource("upgrades")
    void pausingTheSourceIsACutWithThePreemptChannelToo(QemuVersion.Pair pair) throws Exception {
        try (Journey journey = new Journey(folder, pair, NOISE)) {
            journey.prepare(Journey.slowPostcopy().with(Capability.POSTCOPY_PREEMPT), Journey.SLOW_NETWORK);
            journey.go();
            journey.toPostcopy();
            journey.source.pause();
            journey.bothArePaused();

            journey.listenAgain();
            journey.source.resume(journey.relay.address());
            journey.set("max-postcopy-bandwidth", 0);

            journey.arrived();
        }
    }

    @ParameterizedTest
    @MethodSource("upgrades")
    void aStoppedGuestsMemoryIsTheSameByteForByte(QemuVersion.Pair pair) throws Exception {
        try (Journey journey = new Journey(folder, pair, NOISE)) {
            journey.prepare(MigrationTerms.precopy().with("max-bandwidth", 0), FaultPlan.NONE);
            journey.from.qmp("stop");
            byte[] before = journey.from.memory(0, 16 * MIB);

            journey.go();

            journey.awaitCompleted();
            DestinationVerdict there = journey.destination.verdict(Journey.LONG);
            assertThat(there.fate()).as("%s", there).isEqualTo(DestinationVerdict.Fate.STOPPED_HERE);
            assertThat(journey.to.memory(0, 16 * MIB)).isEqualTo(before);
            assertThat(journey.destination.peer().history().ran()).isFalse();

            journey.destination.cont();
            journey.arrived();
            assertThat(((JsonObject) journey.to.qmp("query-status")).string("status"))
                    .isEqualTo("paused");
        }
    }
}
