// SPDX-License-Identifier: Apache-2.0

package io.godwit.stress;

import java.util.function.BooleanSupplier;

/** Waits for the other actor, for a bounded time: a wake-up that is lost becomes an outcome with a name instead of a test that hangs. */
public final class Until {
    private static final long FIRST_NANOS = 5_000_000_000L;
    private static final long NEXT_NANOS = 1_000_000L;
    private static final int SPINS = 1_000;

    /** The first that waits in vain has found it; thousands more would take hours to say the same. */
    private static volatile long most = FIRST_NANOS;

    private Until() {}

    /** Whether it became true within 5 s; once it did not, within a millisecond. Whoever asks goes on in any case, and ends the wait that was not ended. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it: on a busy machine whoever waits makes room
    public static boolean holds(BooleanSupplier condition) {
        long begun = System.nanoTime();
        for (int i = 0; !condition.getAsBoolean(); i++) {
            if (i < SPINS) {
                Thread.onSpinWait();
            } else if (System.nanoTime() - begun > most) {
                most = NEXT_NANOS;
                return condition.getAsBoolean();
            } else {
                Thread.yield();
            }
        }
        return true;
    }
}
