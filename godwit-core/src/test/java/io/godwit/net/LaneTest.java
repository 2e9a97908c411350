// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Fault.Direction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LaneTest {
    private static final long SECOND = 1_000_000_000L;

    @ParameterizedTest
    @ValueSource(longs = {1, 7, 1000, 50 << 20, 3L << 30})
    void aRateIsKeptThoughTheWakeUpsAreLate(long rate) {
        Lane lane = lane("forward:rate=" + rate);
        long late = 700_000; // what a poll is late on average, and more
        long passed = 0;
        long now = 0;
        long end = Math.max(5 * SECOND, 20 * SECOND / rate);
        while (now < end) {
            int may = lane.allowance(1 << 20, now);
            if (may > 0) {
                lane.pass(may, now);
                passed += may;
            } else {
                now += lane.nextAllowance(now) + late;
            }
        }
        double share = passed / ((double) rate * end / SECOND);
        assertThat(share).isBetween(0.95, 1.1);
    }

    @Test
    void exactlySoManyBytesPassBeforeACut() {
        Lane lane = lane("forward:cut-after=1000");
        assertThat(lane.allowance(400, 0)).isEqualTo(400);
        lane.pass(400, 0);
        assertThat(lane.cutIsDue(true)).isFalse();

        assertThat(lane.allowance(5000, 0)).isEqualTo(600);
        lane.pass(600, 0);
        assertThat(lane.cutIsDue(false)).as("with nothing more to pass").isTrue();

        lane.cutIsDone();
        assertThat(lane.allowance(5000, 0)).isEqualTo(5000);
        assertThat(lane.cutIsDue(true)).as("again").isFalse();
    }

    @Test
    void aCutAfterNothingWaitsForTheFirstByte() {
        Lane lane = lane("forward:cut-after=0");
        assertThat(lane.cutIsDue(false)).isFalse();
        assertThat(lane.allowance(1, 0)).isZero();
        assertThat(lane.cutIsDue(true)).isTrue();
    }

    @Test
    void whatIsForTheOtherDirectionIsNotForThisOne() {
        Lane lane = lane("back:cut-after=0,back:stall,back:swallow,back:delay=5,back:rate=1");
        assertThat(lane.allowance(1 << 20, 0)).isEqualTo(1 << 20);
        assertThat(lane.stalls || lane.swallows || lane.delayNanos != 0 || lane.cutIsDue(true))
                .isFalse();
    }

    private static Lane lane(String plan) {
        Lane lane = new Lane(Direction.FORWARD);
        lane.set(FaultPlan.parse(plan), 0);
        return lane;
    }
}
