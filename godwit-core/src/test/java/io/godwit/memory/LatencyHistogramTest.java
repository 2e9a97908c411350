// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
    private final LatencyHistogram histogram = new LatencyHistogram();

    @Test
    void anEmptyOneHasNothingToSay() {
        LatencyHistogram.Snapshot none = histogram.snapshot();
        assertThat(none.count()).isZero();
        assertThat(none.percentile(50)).isZero();
        assertThat(none.max()).isZero();
        assertThat(none.powersOfTwoMicros()).isEmpty();
    }

    @Test
    void percentilesAreWithinFivePercentWhateverTheSpread() {
        long seed = Seeds.next();
        Random random = new Random(seed);
        long[] values = random.longs(20_000, 0, 64)
                .map(bits -> (random.nextLong() >>> 1) >>> Math.min(62, bits))
                .toArray();
        Arrays.stream(values).forEach(histogram::record);
        Arrays.sort(values);

        LatencyHistogram.Snapshot seen = histogram.snapshot();
        assertThat(seen.count()).isEqualTo(values.length);
        assertThat(seen.max()).isEqualTo(values[values.length - 1]);
        for (double percent : new double[] {1, 10, 50, 90, 99, 99.9, 100}) {
            long exact = values[(int) Math.ceil(values.length * percent / 100) - 1];
            assertThat(seen.percentile(percent))
                    .as("p%s with seed %d", percent, seed)
                    .isCloseTo(exact, exact < 32 ? Percentage.withPercentage(0) : Percentage.withPercentage(5));
        }
    }

    @Test
    void smallValuesAreExactAndTheLongestIsToo() {
        for (long value : new long[] {3, 1, 2, 31, 1_000_003}) {
            histogram.record(value);
        }
        LatencyHistogram.Snapshot seen = histogram.snapshot();
        assertThat(seen.percentile(20)).isEqualTo(1);
        assertThat(seen.percentile(40)).isEqualTo(2);
        assertThat(seen.percentile(60)).isEqualTo(3);
        assertThat(seen.percentile(80)).isEqualTo(31);
        assertThat(seen.percentile(100)).isCloseTo(1_000_003L, within(50_000L));
        assertThat(seen.max()).isEqualTo(1_000_003);
        assertThat(seen.sum()).isEqualTo(1_000_040);
    }

    @Test
    void microsecondsAreCountedByPowersOfTwo() {
        histogram.record(-5);
        histogram.record(999);
        histogram.record(1_999);
        histogram.record(2_000);
        histogram.record(3_999);
        histogram.record(4_000);
        histogram.record(17_000);
        assertThat(histogram.snapshot().powersOfTwoMicros()).isEqualTo(List.of(3L, 2L, 1L, 0L, 1L));
    }

    @Test
    void theLargestPossibleValueHasABucket() {
        histogram.record(Long.MAX_VALUE);
        assertThat(histogram.snapshot().percentile(100)).isCloseTo(Long.MAX_VALUE, Percentage.withPercentage(5));
    }

    @Test
    void noRecordingIsLostAmongThreads() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 50_000; i++) {
                    histogram.record(i);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(histogram.snapshot().count()).isEqualTo(200_000);
        assertThat(histogram.snapshot().sum()).isEqualTo(4L * 50_000 * 49_999 / 2);
    }

    @Test
    void aPercentileOutsideIsRefused() {
        assertThatThrownBy(() -> histogram.snapshot().percentile(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> histogram.snapshot().percentile(101)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> histogram.snapshot().percentile(Double.NaN))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
