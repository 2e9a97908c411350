// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.SplittableRandom;

/**
 * Which end of a world is a Godwit with a store, on a disk of its own that it shares with its successors.
 *
 * @param where whose guest is parked
 * @param slowest nanoseconds that a work for the disk may take
 * @param checkpointNanos from one checkpoint to the next while pages come in postcopy
 */
record Keeping(Where where, long slowest, long checkpointNanos) {
    enum Where {
        /** Both guests live in their processes. */
        NOWHERE,
        /** A guest that runs at its source is parked at the destination. */
        DESTINATION,
        /** A parked guest leaves its source and runs at the destination. */
        SOURCE
    }

    static final Keeping NONE = new Keeping(Where.NOWHERE, 0, 0);

    /** A quick disk. */
    static Keeping at(Where where) {
        return new Keeping(where, 500_000, 10_000_000);
    }

    static Keeping random(SplittableRandom random) {
        return new Keeping(
                random.nextBoolean() ? Where.DESTINATION : Where.SOURCE,
                100_000L << random.nextInt(9),
                5_000_000L << random.nextInt(8));
    }
}
