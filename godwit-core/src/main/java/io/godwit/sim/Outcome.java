// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.MigrationStatus;
import io.godwit.store.StoreState;
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
 * @param restarts new processes that took up what an earlier one had left on its disk
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
        Map<Restart, Integer> restarts,
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

    /** What a new process finds on its disk. */
    public enum Restart {
        EMPTY("nothing of value"),
        INTERRUPTED("a guest of whose memory some is missing"),
        PARKED("a whole guest"),
        LEAVING("a guest that may have left"),
        GONE("a guest that has left");

        private final String words;

        Restart(String words) {
            this.words = words;
        }

        /** For people. */
        public String words() {
            return words;
        }

        static Restart of(@Nullable StoreState state) {
            return switch (state) {
                case null -> EMPTY;
                case StoreState.Receiving _ -> EMPTY;
                case StoreState.ReceivingPostcopy _ -> INTERRUPTED;
                case StoreState.Parked _, StoreState.ParkedUnconfirmed _ -> PARKED;
                case StoreState.Leaving _ -> LEAVING;
                case StoreState.Gone _ -> GONE;
            };
        }
    }

    public Outcome {
        faults = Map.copyOf(faults);
        restarts = Map.copyOf(restarts);
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
