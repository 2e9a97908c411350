// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.MigrationStatus;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

/** Every state of small worlds: no rule is broken in any, and each has a way to a good end. */
class CheckerTest {
    @Test
    void withoutAFailureAMigrationEndsWell() {
        good(CheckWorld.precopy(0));
        good(CheckWorld.postcopy(0));
        good(CheckWorld.preempt(0));
    }

    @Test
    void aPrecopyThatFailsTwice() {
        good(CheckWorld.precopy(2));
    }

    /** One of everything that can go wrong, at every moment. */
    @Test
    void aPostcopyThatFailsOnce() {
        CheckReport report = good(CheckWorld.postcopy(1));
        assertThat(report.states()).isGreaterThan(100_000);
        assertThat(report.sourceStates()).isGreaterThan(50);
        assertThat(report.destinationStates()).isGreaterThan(25);
        // CANCELLING is passed through inside one step, and nobody asked for a pause before the switchover.
        assertThat(report.sourceStatuses())
                .containsExactlyInAnyOrderElementsOf(
                        EnumSet.complementOf(EnumSet.of(MigrationStatus.CANCELLING, MigrationStatus.PRE_SWITCHOVER)));
        assertThat(report.destinationStatuses())
                .containsExactlyInAnyOrder(
                        MigrationStatus.NONE,
                        MigrationStatus.SETUP,
                        MigrationStatus.ACTIVE,
                        MigrationStatus.POSTCOPY_ACTIVE,
                        MigrationStatus.POSTCOPY_PAUSED,
                        MigrationStatus.POSTCOPY_RECOVER,
                        MigrationStatus.COMPLETED,
                        MigrationStatus.FAILED);
    }

    /** One more of everything, in the recovery of what went wrong before. */
    @Test
    void aRecoveryThatFails() {
        good(CheckWorld.recovery(1));
        good(CheckWorld.recoveryWithPreempt(1));
    }

    @Test
    void anExplorationThatIsTooLargeSaysSo() {
        CheckReport report = Checker.check(new CheckWorld("small", true, true, false, 1, 1000), states -> {});
        assertThat(report.complete()).isFalse();
        assertThat(report.good()).isFalse();
        assertThat(report.violation()).isNull();
    }

    private static CheckReport good(CheckWorld world) {
        CheckReport report = Checker.check(world, states -> {});
        assertThat(report.violation())
                .as("%s:\n%s", world.name(), String.join("\n", report.dialogue()))
                .isNull();
        assertThat(report.complete()).as(world.name()).isTrue();
        assertThat(report.goodEnds()).isPositive();
        return report;
    }
}
