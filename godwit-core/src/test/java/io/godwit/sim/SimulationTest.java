// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.MigrationStatus;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Random whole migrations. A failure names its seed; {@code -Dgodwit.seed=N} replays that one and tells it. */
class SimulationTest {
    private static final int RUNS = 2_000;

    /** Statuses that an endpoint of that role does not have. */
    private static final Set<MigrationStatus> NOT_AT_DESTINATION = EnumSet.of(
            MigrationStatus.CANCELLING,
            MigrationStatus.CANCELLED,
            MigrationStatus.POSTCOPY_RECOVER_SETUP,
            MigrationStatus.PRE_SWITCHOVER,
            MigrationStatus.DEVICE,
            MigrationStatus.UNCERTAIN);

    /** A lot of work and no waiting: a busy machine may take its time. */
    @Test
    @Timeout(600)
    void whateverHappensTheGuestEndsInOnePlaceWhole() {
        Long replay = Long.getLong("godwit.seed");
        if (replay != null) {
            Outcome outcome = Simulation.run(replay, SimOptions.DEFAULT.withTrace(System.out::println));
            assertThat(outcome.violation()).as(outcome.line()).isNull();
            return;
        }
        long first = System.nanoTime();
        Summary summary = new Summary();
        for (int i = 0; i < RUNS; i++) {
            summary.add(Simulation.run(first + i, SimOptions.DEFAULT));
        }
        assertThat(summary.violations()).as(String.join("\n", summary.table())).isZero();
        assertThat(summary.count(Outcome.End.MOVED)).isPositive();
        assertThat(summary.count(Outcome.End.STAYED)).isPositive();
        for (Outcome.Restart found : Outcome.Restart.values()) {
            assertThat(summary.restarts(found))
                    .as("new processes that found %s", found.words())
                    .isPositive();
        }
        for (FaultKind kind : FaultKind.values()) {
            assertThat(summary.faults(kind)).as(kind.words()).isPositive();
        }
        for (MigrationStatus status : MigrationStatus.values()) {
            assertThat(summary.sourceIn(status))
                    .as("runs with the source in %s", status)
                    .isPositive();
            if (!NOT_AT_DESTINATION.contains(status)) {
                assertThat(summary.destinationIn(status))
                        .as("runs with the destination in %s", status)
                        .isPositive();
            }
        }
    }

    @Test
    void onAGoodNetworkNearlyAllGuestsMove() {
        Summary summary = new Summary();
        SimOptions good = SimOptions.DEFAULT.withFaultPercent(0).withBlocks(4, 64);
        for (long seed = 1; seed <= 300; seed++) {
            summary.add(Simulation.run(seed, good));
        }
        assertThat(summary.violations()).as(String.join("\n", summary.table())).isZero();
        assertThat(summary.count(Outcome.End.MOVED)).isGreaterThan(250);
    }

    @Test
    void aSeedReplaysEveryEvent() {
        for (long seed = 1; seed <= 20; seed++) {
            List<String> once = new ArrayList<>();
            List<String> again = new ArrayList<>();
            Outcome first = Simulation.run(seed, SimOptions.DEFAULT.withTrace(once::add));
            Outcome second = Simulation.run(seed, SimOptions.DEFAULT.withTrace(again::add));
            assertThat(second).isEqualTo(first);
            assertThat(again).isEqualTo(once);
            assertThat(Simulation.run(seed, SimOptions.DEFAULT)).as("untold").isEqualTo(first);
        }
    }

    @Test
    void theSummarySaysWhatWentWrongAndHowToSeeItAgain() {
        Summary summary = new Summary();
        summary.add(Simulation.run(5, SimOptions.DEFAULT, Mutants.DEAF_SOURCE_IN_RECOVER));
        summary.add(new Outcome(
                9,
                null,
                "two guests",
                false,
                0,
                Map.of(),
                Map.of(),
                1,
                10,
                20,
                Set.of(MigrationStatus.NONE),
                Set.of()));
        assertThat(summary.runs()).isEqualTo(2);
        assertThat(summary.violations()).isPositive();
        assertThat(summary.table()).anyMatch(line -> line.contains("two guests") && line.contains("--seed 9 --trace"));
    }
}
