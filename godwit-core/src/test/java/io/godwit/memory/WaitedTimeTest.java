// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitedTimeTest {
    private long now = 1000;
    private final WaitedTime waited = new WaitedTime(() -> now);

    @Test
    void nobodyHasWaitedAtFirst() {
        now += 50;
        assertThat(waited.nanos()).isZero();
    }

    @Test
    void overlappingWaitsCountOnce() {
        waited.begin();
        now += 10;
        waited.begin();
        now += 5;
        waited.end();
        now += 7;
        waited.end();
        now += 100;
        assertThat(waited.nanos()).isEqualTo(22);
    }

    @Test
    void separateWaitsAddUpAndOneThatLastsCountsSoFar() {
        waited.begin();
        now += 10;
        waited.end();
        now += 100;
        waited.begin();
        now += 3;
        assertThat(waited.nanos()).isEqualTo(13);
        now += 1;
        waited.end();
        assertThat(waited.nanos()).isEqualTo(14);
    }
}
