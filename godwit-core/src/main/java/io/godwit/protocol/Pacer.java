// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/**
 * Holds background pages to a bandwidth, by a bucket that refills with time and holds 10 ms worth of bytes (one batch at least). What may not wait, control messages
 * and requested pages, is charged but never held back. Times are nanoseconds. Used by one thread.
 */
public final class Pacer {
    private static final long BURST_NANOS = 10_000_000;
    private static final long SMALLEST_BURST = 64 * 1024;

    private long bytesPerSecond;
    private double tokens;
    private long last;

    /** Without a limit, until {@link #rate} sets one. */
    public Pacer() {}

    /** @param bytesPerSecond 0 for no limit */
    public void rate(long bytesPerSecond, long now) {
        if (bytesPerSecond != this.bytesPerSecond) {
            refill(now);
            this.bytesPerSecond = bytesPerSecond;
            // Neither a full bucket nor the debt of a faster path is taken over: at a lower rate it would be paid off
            // for minutes.
            tokens = Math.clamp(tokens, -burst(), burst());
        }
    }

    /** Bytes that background pages may take now. */
    public long allowance(long now) {
        if (bytesPerSecond == 0) {
            return Long.MAX_VALUE;
        }
        refill(now);
        return (long) Math.max(0, tokens);
    }

    /** Bytes went out. */
    public void charge(long bytes) {
        if (bytesPerSecond != 0) {
            // Debt is bounded: a burst of requested pages may slow the background down for a moment, not starve it.
            tokens = Math.max(tokens - (double) bytes, -burst());
        }
    }

    /**
     * When {@code bytes} may go (half a burst at most: who wakes a little late must not find a full bucket that took no more), or {@link Long#MIN_VALUE} for at once.
     */
    public long readyAt(long bytes, long now) {
        if (bytesPerSecond == 0) {
            return Long.MIN_VALUE;
        }
        refill(now);
        double lacking = Math.min((double) bytes, burst() / 2) - tokens;
        return lacking <= 0 ? Long.MIN_VALUE : now + (long) Math.ceil(lacking * 1e9 / bytesPerSecond);
    }

    private double burst() {
        return Math.max(SMALLEST_BURST, (double) bytesPerSecond * BURST_NANOS / 1e9);
    }

    private void refill(long now) {
        if (now > last) {
            tokens = Math.min(burst(), tokens + (double) bytesPerSecond * (now - last) / 1e9);
        }
        last = now;
    }
}
