// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.MigrationStatus;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How one simulated migration went.
 *
 * @param seed replays it
 * @param end how it ended; null if a rule was broken
 * @param violation which rule was broken and how, as a sentence; null if none
 * @param byWord an operator's word (x-godwit-migrate-resolve) was needed
 * @param recoveries recovery connections that the destination took up
 * @param faults what went wrong, and how often
 * @param attempts migrations begun
 * @param events events that happened
 * @param nanos virtual time that passed
 * @param sourceStates every status that the source was in
 * @param destinationStates every status that the destination was in
 */
public record Outcome(
        long seed,
        @Nullable End end,
        @Nullable String violation,
        boolean byWord,
        int recoveries,
        Map<FaultKind, Integer> faults,
        long attempts,
        long events,
        long nanos,
        Set<MigrationStatus> sourceStates,
        Set<MigrationStatus> destinationStates) {

    /** What may become of a migration. */
    public enum End {
        /** The guest and all its memory are at the destination. */
        MOVED,
        /** The guest goes on at the source, and never ran at the destination. */
        STAYED
    }

    public Outcome {
        faults = Map.copyOf(faults);
        sourceStates = Set.copyOf(sourceStates);
        destinationStates = Set.copyOf(destinationStates);
    }

    /** Whether no rule was broken. */
    public boolean good() {
        return violation == null;
    }

    /** The one line that says what went wrong and how to see it again. */
    public String line() {
        return good()
                ? "seed " + seed + ": " + end
                : "seed " + seed + ": " + violation + " (replay: godwit sim --seed " + seed + " --trace)";
    }
}
