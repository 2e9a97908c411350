// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import java.util.function.LongSupplier;

/**
 * How long somebody waited, counted once however many did: from the first of several overlapping waits to the end of the last. Thread-safe. The clock is read
 * under the lock, so that no time is counted twice when one wait ends while another begins.
 */
final class WaitedTime {
    private final LongSupplier clock;
    private int waiting;
    private long since;
    private long before;

    /** @param clock monotonic nanoseconds */
    WaitedTime(LongSupplier clock) {
        this.clock = clock;
    }

    synchronized void begin() {
        if (waiting++ == 0) {
            since = clock.getAsLong();
        }
    }

    synchronized void end() {
        if (--waiting == 0) {
            before += clock.getAsLong() - since;
        }
    }

    /** Nanoseconds until now, a wait that has not ended included. */
    synchronized long nanos() {
        return waiting == 0 ? before : before + clock.getAsLong() - since;
    }
}
