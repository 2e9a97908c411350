// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
    private static void holdUp(long nanos) {
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }

    private static int stepsWithin(Pace pace, long nanos) {
        int steps = 0;
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            pace.next(() -> false);
            steps++;
        }
        return steps;
    }

    @Test
    void stepsComeAtTheirRate() {
        assertThat(stepsWithin(new Pace(2_000), 300_000_000)).isBetween(60, 620);
    }

    @Test
    void whoIsHeldUpDoesNotCatchUpMuch() {
        Pace pace = new Pace(10_000);
        stepsWithin(pace, 5_000_000);
        holdUp(400_000_000);
        // 5 ms of the 400 that were missed, and the 10 ms themselves: 150; without the rule 4100.
        assertThat(stepsWithin(pace, 10_000_000)).isLessThan(1_000);
    }

    @Test
    void aRateIsSharedWithoutLoss() {
        assertThat(Pace.share(10, 0, 3) + Pace.share(10, 1, 3) + Pace.share(10, 2, 3))
                .isEqualTo(10);
        assertThat(Pace.share(3, 2, 3)).isEqualTo(1);
        assertThat(Pace.share(0, 2, 3)).isZero();
    }

    @Test
    void withoutALimitNothingWaits() {
        assertThat(stepsWithin(new Pace(0), 100_000_000)).isGreaterThan(10_000);
    }

    @Test
    void aStopEndsTheWaitForTheNextStep() {
        Pace pace = new Pace(1);
        pace.next(() -> false);
        long begin = System.nanoTime();
        pace.next(() -> true);
        assertThat(System.nanoTime() - begin).isLessThan(500_000_000);
    }
}
