// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts durations in buckets that are at most 1/32 of their value wide, so that a percentile is right within about 3 %. Any thread may
 * record; recording allocates nothing. A snapshot taken meanwhile holds every duration whose recording had ended before.
 */
public final class LatencyHistogram {
    private static final int SUB_BITS = 5;
    private static final int SUB = 1 << SUB_BITS;
    private static final int BUCKETS = (64 - SUB_BITS) * SUB;
    private static final int MICRO_POWERS = 40;

    private final AtomicLongArray buckets = new AtomicLongArray(BUCKETS);
    private final AtomicLongArray microPowers = new AtomicLongArray(MICRO_POWERS);
    private final AtomicLong sum = new AtomicLong();
    private final AtomicLong max = new AtomicLong();

    /** An empty one. */
    public LatencyHistogram() {}

    /** Counts one duration; a negative one counts as 0. */
    public void record(long nanos) {
        long value = Math.max(0, nanos);
        sum.addAndGet(value);
        max.accumulateAndGet(value, Math::max);
        long micros = value / 1000;
        microPowers.incrementAndGet(
                micros == 0 ? 0 : Math.min(MICRO_POWERS - 1, 63 - Long.numberOfLeadingZeros(micros)));
        buckets.incrementAndGet(bucket(value));
    }

    public Snapshot snapshot() {
        long[] counts = new long[BUCKETS];
        long count = 0;
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = buckets.get(i);
            count += counts[i];
        }
        int powers = 0;
        List<Long> distribution = new ArrayList<>();
        for (int i = 0; i < MICRO_POWERS; i++) {
            distribution.add(microPowers.get(i));
            powers = distribution.get(i) == 0 ? powers : i + 1;
        }
        return new Snapshot(counts, count, sum.get(), max.get(), List.copyOf(distribution.subList(0, powers)));
    }

    /** Below 32 each value has its own bucket; from there on the five bits after the leading one choose among 32 in each power of two. */
    private static int bucket(long value) {
        if (value < SUB) {
            return (int) value;
        }
        int shift = 63 - SUB_BITS - Long.numberOfLeadingZeros(value);
        return (shift << SUB_BITS) + (int) (value >>> shift);
    }

    private static long middle(int bucket) {
        if (bucket < 2 * SUB) {
            return bucket;
        }
        int shift = (bucket >>> SUB_BITS) - 1;
        long low = (long) (SUB + (bucket & (SUB - 1))) << shift;
        return low + (1L << shift) / 2;
    }

    /** What was counted until one moment; immutable. All durations in nanoseconds. */
    public static final class Snapshot {
        private final long[] counts;
        private final long count;
        private final long sum;
        private final long max;
        private final List<Long> powersOfTwoMicros;

        private Snapshot(long[] counts, long count, long sum, long max, List<Long> powersOfTwoMicros) {
            this.counts = counts;
            this.count = count;
            this.sum = sum;
            this.max = max;
            this.powersOfTwoMicros = powersOfTwoMicros;
        }

        /** How many durations were recorded. */
        public long count() {
            return count;
        }

        /** Sum of all durations. */
        public long sum() {
            return sum;
        }

        /** The longest duration, exactly; 0 if there is none. */
        public long max() {
            return max;
        }

        /** Counts per power of two of microseconds: entry i is 2^i to 2^(i+1) µs, entry 0 also what is shorter; trailing zeros cut. */
        public List<Long> powersOfTwoMicros() {
            return powersOfTwoMicros;
        }

        /**
         * The duration that the given share of all durations does not exceed; 0 if there is none.
         *
         * @param percent above 0 and up to 100
         */
        public long percentile(double percent) {
            if (!(percent > 0 && percent <= 100)) {
                throw new IllegalArgumentException("a percentile lies above 0 and up to 100, got " + percent);
            }
            long rank = (long) Math.ceil(count * percent / 100);
            long seen = 0;
            for (int i = 0; i < counts.length; i++) {
                seen += counts[i];
                if (seen >= rank && seen > 0) {
                    return Math.min(middle(i), max);
                }
            }
            return 0;
        }
    }
}
