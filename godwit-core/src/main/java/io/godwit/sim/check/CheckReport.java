// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.MigrationStatus;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an exploration came to.
 *
 * @param complete every reachable state was looked at
 * @param states states reached
 * @param transitions steps between them
 * @param diameter steps to the state that is farthest from the first
 * @param sourceStates different states of the source's machine
 * @param destinationStates different states of the destination's machine
 * @param sourceStatuses every status that the source was in
 * @param destinationStatuses every status that the destination was in
 * @param goodEnds states in which all is over and well
 * @param violation the rule that was broken, as a sentence; null if none
 * @param dialogue the shortest way to it, line by line
 * @param nanos how long it took
 */
public record CheckReport(
        CheckWorld world,
        boolean complete,
        int states,
        long transitions,
        int diameter,
        int sourceStates,
        int destinationStates,
        Set<MigrationStatus> sourceStatuses,
        Set<MigrationStatus> destinationStatuses,
        int goodEnds,
        @Nullable String violation,
        List<String> dialogue,
        long nanos) {
    public CheckReport {
        sourceStatuses = Set.copyOf(sourceStatuses);
        destinationStatuses = Set.copyOf(destinationStatuses);
        dialogue = List.copyOf(dialogue);
    }

    /** Everything was looked at and no rule is broken. */
    public boolean good() {
        return complete && violation == null;
    }
}
