// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.EnumMap;
import java.util.Map;

/** Faults that have happened in a world, by kind. */
final class FaultLog {
    private final Map<FaultKind, Integer> counts = new EnumMap<>(FaultKind.class);
    private final Trace trace;

    FaultLog(Trace trace) {
        this.trace = trace;
    }

    /** @param where it hurts, for the dialogue */
    void add(FaultKind kind, Object where) {
        counts.merge(kind, 1, Integer::sum);
        trace.event("fault", () -> kind.words() + ": " + where);
    }

    int count(FaultKind kind) {
        return counts.getOrDefault(kind, 0);
    }

    Map<FaultKind, Integer> counts() {
        return counts;
    }
}
