// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Holds one thread to a number of steps per second. After a hold-up it catches up for at most 5 ms, else a writer that waited for a page would
 * come back as a burst. One thread.
 */
final class Pace {
    private static final long SECOND = 1_000_000_000;
    private static final long MOST_BEHIND = 5_000_000;

    /** Parking for less costs more than it saves. */
    private static final long SHORTEST_PARK = 50_000;

    private final long perSecond;
    private long base;
    private long steps;

    /** @param perSecond 0 for no limit */
    Pace(long perSecond) {
        this.perSecond = perSecond;
        this.base = System.nanoTime();
    }

    /** The share of thread {@code i} of {@code n} in a common rate. */
    static long share(long perSecond, int i, int n) {
        return perSecond / n + (i < perSecond % n ? 1 : 0);
    }

    /** Waits until the next step is due, or until the guest stops, which unparks the thread. */
    void next(BooleanSupplier stopping) {
        if (perSecond == 0) {
            return;
        }
        if (steps == perSecond) {
            base += SECOND;
            steps = 0;
        }
        long due = base + steps * SECOND / perSecond;
        long now = System.nanoTime();
        if (now - due > MOST_BEHIND) {
            base += now - due - MOST_BEHIND;
        }
        steps++;
        while (due - now > SHORTEST_PARK && !stopping.getAsBoolean()) {
            LockSupport.parkNanos(this, due - now);
            now = System.nanoTime();
        }
    }
}
