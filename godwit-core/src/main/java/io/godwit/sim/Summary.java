// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.MigrationStatus;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What many runs came to. Not safe for several threads. */
public final class Summary {
    private static final int MOST_BAD = 100;

    private final Map<Outcome.End, Integer> ends = new EnumMap<>(Outcome.End.class);
    private final Map<MigrationStatus, Integer> source = new EnumMap<>(MigrationStatus.class);
    private final Map<MigrationStatus, Integer> destination = new EnumMap<>(MigrationStatus.class);
    private final List<Outcome> bad = new ArrayList<>();
    private int runs;
    private int violations;
    private int byWord;
    private long recoveries;
    private long mostRecoveries;
    private final Map<FaultKind, Long> faults = new EnumMap<>(FaultKind.class);
    private final Map<Outcome.Restart, Long> restarts = new EnumMap<>(Outcome.Restart.class);
    private long events;
    private long nanos;

    /** Nothing yet. */
    public Summary() {}

    /** Counts a run in. */
    public void add(Outcome outcome) {
        runs++;
        if (outcome.end() != null) {
            ends.merge(outcome.end(), 1, Integer::sum);
        }
        if (!outcome.good()) {
            violations++;
            if (bad.size() < MOST_BAD) {
                bad.add(outcome);
            }
        }
        byWord += outcome.byWord() ? 1 : 0;
        recoveries += outcome.recoveries();
        mostRecoveries = Math.max(mostRecoveries, outcome.recoveries());
        outcome.faults().forEach((kind, count) -> faults.merge(kind, (long) count, Long::sum));
        outcome.restarts().forEach((found, count) -> restarts.merge(found, (long) count, Long::sum));
        events += outcome.events();
        nanos += outcome.nanos();
        outcome.sourceStates().forEach(status -> source.merge(status, 1, Integer::sum));
        outcome.destinationStates().forEach(status -> destination.merge(status, 1, Integer::sum));
    }

    public int runs() {
        return runs;
    }

    /** Runs in which a rule was broken. */
    public int violations() {
        return violations;
    }

    /** The first hundred of them. */
    public List<Outcome> bad() {
        return List.copyOf(bad);
    }

    /** Runs that ended so. */
    public int count(Outcome.End end) {
        return ends.getOrDefault(end, 0);
    }

    /** Runs in which the source was in that status at some time. */
    public int sourceIn(MigrationStatus status) {
        return source.getOrDefault(status, 0);
    }

    /** Runs in which the destination was in that status at some time. */
    public int destinationIn(MigrationStatus status) {
        return destination.getOrDefault(status, 0);
    }

    /** Faults of that kind that happened in all runs. */
    public long faults(FaultKind kind) {
        return faults.getOrDefault(kind, 0L);
    }

    /** New processes that found that on their disk, in all runs. */
    public long restarts(Outcome.Restart found) {
        return restarts.getOrDefault(found, 0L);
    }

    /** Runs that an operator's word (x-godwit-migrate-resolve) has ended. */
    public int byWord() {
        return byWord;
    }

    /** Recoveries that destinations took up. */
    public long recoveries() {
        return recoveries;
    }

    public long events() {
        return events;
    }

    /** Virtual time, in nanoseconds. */
    public long nanos() {
        return nanos;
    }

    /** A table for people, one line each. */
    public List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("%-34s %12d".formatted("migrations", runs));
        lines.add("%-34s %12d".formatted("  moved", count(Outcome.End.MOVED)));
        lines.add("%-34s %12d".formatted("  went on at the source", count(Outcome.End.STAYED)));
        lines.add("%-34s %12d".formatted("  rules broken", violations));
        lines.add("%-34s %12d".formatted("ended by an operator's word", byWord));
        lines.add("%-34s %12d".formatted("recoveries", recoveries));
        lines.add("%-34s %12d".formatted("  most in one migration", mostRecoveries));
        lines.add("%-34s %12d"
                .formatted("faults", faults.values().stream().mapToLong(n -> n).sum()));
        for (FaultKind kind : FaultKind.values()) {
            lines.add("  %-32s %12d".formatted(kind.words(), faults(kind)));
        }
        lines.add("%-34s %12d"
                .formatted(
                        "restarts of a process with a store",
                        restarts.values().stream().mapToLong(n -> n).sum()));
        for (Outcome.Restart found : Outcome.Restart.values()) {
            lines.add("  %-40s %4d".formatted(found.words(), restarts(found)));
        }
        lines.add("%-34s %12d".formatted("events", events));
        lines.add("%-34s %12.1f".formatted("virtual seconds", nanos / 1e9));
        lines.add("%-34s %12s %12s".formatted("runs in which a status was reached", "source", "destination"));
        for (MigrationStatus status : MigrationStatus.values()) {
            lines.add("  %-32s %12d %12d".formatted(status, sourceIn(status), destinationIn(status)));
        }
        bad.forEach(outcome -> lines.add(outcome.line()));
        return lines;
    }
}
