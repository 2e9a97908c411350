// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Seeds;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PacerTest {
    private static final long MILLIS = 1_000_000;
    private static final long SECOND = 1_000_000_000;
    private static final long MIB = 1 << 20;
    private static final long SMALLEST_BURST = 64 << 10;
    private static final long AT_ONCE = Long.MIN_VALUE;

    private final Pacer pacer = new Pacer();
    private long now = 123 * SECOND;

    /** Sends batches as the source does, waking when told, until {@code nanos} have passed; the bytes sent. */
    private long send(long batch, long nanos) {
        long end = now + nanos;
        long sent = 0;
        while (now < end) {
            long allowed = Math.min(batch, pacer.allowance(now));
            if (allowed > 0) {
                pacer.charge(allowed);
                sent += allowed;
            }
            long ready = pacer.readyAt(batch, now);
            if (ready != AT_ONCE) {
                assertThat(ready)
                        .as("it wakes later than now, and wakes at all")
                        .isGreaterThan(now);
                now = ready;
            }
        }
        return sent;
    }

    @Test
    void withoutALimitEverythingMayGoAtOnce() {
        assertThat(pacer.allowance(now)).isEqualTo(Long.MAX_VALUE);
        pacer.charge(Long.MAX_VALUE);
        assertThat(pacer.allowance(now)).isEqualTo(Long.MAX_VALUE);
        assertThat(pacer.readyAt(Long.MAX_VALUE, now)).isEqualTo(AT_ONCE);
    }

    @ParameterizedTest
    @ValueSource(longs = {100_000, 10 * MIB, 125_000_000, 3_000_000_000L, 40_000_000_000L})
    void whatGoesInASecondIsTheRate(long rate) {
        pacer.rate(rate, now);

        long sent = send(256 << 10, 10 * SECOND);

        double burst = Math.max(SMALLEST_BURST, rate / 100.0);
        assertThat(sent).isBetween((long) (10 * rate - burst), (long) (10 * rate + burst));
    }

    @Test
    void aBatchLargerThanTheBucketIsNotWaitedForForEver() {
        pacer.rate(10 * MIB, now);
        pacer.charge(MIB);

        long ready = pacer.readyAt(1L << 40, now);

        assertThat(ready - now).isBetween(0L, 20 * MILLIS);
        now = ready;
        assertThat(pacer.allowance(now)).isGreaterThanOrEqualTo(10 * MIB / 200 - 1);
    }

    @Test
    void idleTimeIsNotSavedUp() {
        pacer.rate(100 * MIB, now);
        now += 3600 * SECOND;

        assertThat(pacer.allowance(now)).isEqualTo(MIB);
        pacer.charge(MIB);
        assertThat(pacer.allowance(now)).isZero();
        now += MILLIS;
        assertThat(pacer.allowance(now)).isCloseTo(MIB / 10, Percentage.withPercentage(1));
    }

    @Test
    void theTimeWithoutALimitIsNotSavedUpEither() {
        now += 3600 * SECOND;
        pacer.rate(10 * MIB, now);

        assertThat(pacer.allowance(now)).isZero();
    }

    @Test
    void requestedPagesAreChargedButSlowTheBackgroundForAMomentOnly() {
        pacer.rate(100 * MIB, now);
        for (int i = 0; i < 1000; i++) {
            pacer.charge(MIB);
        }

        assertThat(pacer.allowance(now)).isZero();
        long ready = pacer.readyAt(4096, now);
        assertThat(ready - now).as("10 ms of debt and a page").isBetween(10 * MILLIS, 11 * MILLIS);
        assertThat(pacer.allowance(ready)).isGreaterThanOrEqualTo(4095);
    }

    @Test
    void aHigherRateHoldsFromNowOnOnly() {
        pacer.rate(MIB, now);
        pacer.charge(SMALLEST_BURST);
        now += 10 * MILLIS;

        pacer.rate(1000 * MIB, now);

        assertThat(pacer.allowance(now))
                .as("the 10 ms before counted at the old rate")
                .isZero();
        assertThat(pacer.readyAt(4096, now) - now).isLessThan(MILLIS);
    }

    @Test
    void aLowerRateTakesOverNeitherAFullBucketNorAnAbyssOfDebt() {
        pacer.rate(10_000 * MIB, now);
        now += SECOND;
        assertThat(pacer.allowance(now)).isEqualTo(100 * MIB);
        pacer.rate(10 * MIB, now);
        assertThat(pacer.allowance(now)).isEqualTo(10 * MIB / 100);

        pacer.rate(10_000 * MIB, now);
        pacer.charge(1000 * MIB);
        pacer.rate(10 * MIB, now);

        assertThat(pacer.readyAt(4096, now) - now)
                .as("a hundred MiB of debt would be ten seconds of silence at the new rate")
                .isLessThan(11 * MILLIS);
    }

    @Test
    void theSameRateAgainChangesNothing() {
        pacer.rate(100 * MIB, now);
        now += SECOND;
        long before = pacer.allowance(now);

        pacer.rate(100 * MIB, now);

        assertThat(pacer.allowance(now)).isEqualTo(before);
    }

    @Test
    void aLimitThatIsLiftedHoldsNobodyBack() {
        pacer.rate(1, now);
        pacer.charge(SMALLEST_BURST);
        assertThat(pacer.readyAt(4096, now)).isGreaterThan(now);

        pacer.rate(0, now);

        assertThat(pacer.allowance(now)).isEqualTo(Long.MAX_VALUE);
        assertThat(pacer.readyAt(4096, now)).isEqualTo(AT_ONCE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 1000, Long.MAX_VALUE / 2, Long.MAX_VALUE})
    void atTinyAndHugeRatesItSleepsForAFiniteTimeAndThenMaySend(long rate) {
        pacer.rate(rate, now);
        pacer.charge(Long.MAX_VALUE);

        for (long batch : new long[] {1, 4096, MIB, Long.MAX_VALUE}) {
            long ready = pacer.readyAt(batch, now);
            assertThat(ready).as("batch %d", batch).isGreaterThan(now);
            assertThat((ready - now) / 1e9)
                    .as("seconds for batch %d", batch)
                    .isLessThanOrEqualTo(1.5 * Math.max(SMALLEST_BURST, rate / 100.0) / rate + 1e-8);
        }
        now = pacer.readyAt(4096, now);
        assertThat(pacer.allowance(now)).isGreaterThanOrEqualTo(4095);
        assertThat(pacer.allowance(Long.MAX_VALUE)).isPositive();
    }

    @Test
    void whoeverWakesALittleLateLosesNothing() {
        pacer.rate(100 * MIB, now);
        long begin = now;
        long sent = 0;
        while (now < begin + 10 * SECOND) {
            long allowed = pacer.allowance(now);
            pacer.charge(allowed);
            sent += allowed;
            now = pacer.readyAt(MIB, now) + 4 * MILLIS;
        }

        assertThat(sent).isCloseTo(1000 * MIB, Percentage.withPercentage(1));
    }

    @Test
    void neverMoreThanTheRateAndABurstWhateverHappens() {
        Random random = new Random(Seeds.next());
        for (int world = 0; world < 200; world++) {
            Pacer free = new Pacer();
            long rate = 1 + random.nextLong(1L << (10 + random.nextInt(24)));
            free.rate(rate, now);
            long begin = now;
            double sent = 0;
            for (int i = 0; i < 200; i++) {
                now += random.nextLong(30 * MILLIS);
                long allowed = free.allowance(now);
                long taken = random.nextBoolean() ? allowed : random.nextLong(allowed + 1);
                free.charge(taken);
                sent += taken;
                double burst = Math.max(SMALLEST_BURST, rate / 100.0);
                assertThat(sent).isLessThanOrEqualTo(burst + rate * ((now - begin) / 1e9) + 1);
            }
        }
    }
}
