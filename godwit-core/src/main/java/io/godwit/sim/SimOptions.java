// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How large the simulated worlds are, and how bad.
 *
 * @param smallestBlock fewest pages of a RAM block
 * @param largestBlock most pages of a RAM block
 * @param faultPercent how many connections of a hundred are faulty before the network heals
 * @param strays whether strangers connect, too
 * @param mostEvents a run that takes more events than this has not ended as it should
 * @param mostSeconds the same in virtual seconds after the healing
 * @param trace takes the dialogue of the run line by line; null for none
 */
public record SimOptions(
        int smallestBlock,
        int largestBlock,
        int faultPercent,
        boolean strays,
        long mostEvents,
        long mostSeconds,
        @Nullable Consumer<String> trace) {
    /** Worlds of 2 blocks with 1 to 16 pages each, most connections faulty. */
    public static final SimOptions DEFAULT = new SimOptions(1, 16, 60, true, 1_000_000, 120, null);

    public SimOptions {
        if (smallestBlock < 1 || largestBlock < smallestBlock || largestBlock > 4096) {
            throw new IllegalArgumentException(
                    "blocks have 1 to 4096 pages, got " + smallestBlock + " to " + largestBlock);
        }
        if (faultPercent < 0 || faultPercent > 100 || mostEvents < 1 || mostSeconds < 1) {
            throw new IllegalArgumentException(
                    "faults " + faultPercent + " %, " + mostEvents + " events, " + mostSeconds + " s");
        }
    }

    /** The same, telling everything. */
    public SimOptions withTrace(Consumer<String> lines) {
        return new SimOptions(smallestBlock, largestBlock, faultPercent, strays, mostEvents, mostSeconds, lines);
    }

    /** The same with blocks of so many pages. */
    public SimOptions withBlocks(int smallest, int largest) {
        return new SimOptions(smallest, largest, faultPercent, strays, mostEvents, mostSeconds, trace);
    }

    /** The same with so many faulty connections of a hundred. */
    public SimOptions withFaultPercent(int percent) {
        return new SimOptions(smallestBlock, largestBlock, percent, strays, mostEvents, mostSeconds, trace);
    }
}
