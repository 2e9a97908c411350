// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.term.Table;
import io.godwit.app.torture.Result.Hit;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What all rounds came to so far. Thread-safe. */
final class Tally {
    /** In which a blow may find a source, in the order of a migration; others are shown behind them. */
    static final List<String> STATES = List.of(
            "setup",
            "active",
            "device",
            "postcopy-active",
            "postcopy-paused",
            "postcopy-recover-setup",
            "postcopy-recover");

    private final Map<Verdict, Integer> rounds = new EnumMap<>(Verdict.class);
    private final Map<String, Map<String, Integer>> survived = new TreeMap<>();
    private final List<Double> first = new ArrayList<>();
    private final List<Double> both = new ArrayList<>();
    private final List<Double> recovery = new ArrayList<>();
    private final List<Double> restart = new ArrayList<>();
    private final List<Result> bad = new ArrayList<>();
    private int faults;
    private int failedRecoveries;

    synchronized void add(Result result) {
        rounds.merge(result.verdict(), 1, Integer::sum);
        failedRecoveries += result.failedRecoveries();
        recovery.addAll(result.recoveryMillis());
        restart.addAll(result.restartMillis());
        for (Hit hit : result.hits()) {
            if (hit.firstMillis() >= 0) {
                first.add(hit.firstMillis());
                both.add(hit.bothMillis());
            }
        }
        if (!result.verdict().good()) {
            bad.add(result);
            return;
        }
        faults += result.hits().size();
        for (Hit hit : result.hits()) {
            survived.computeIfAbsent(hit.kind(), _ -> new TreeMap<>()).merge(hit.state(), 1, Integer::sum);
        }
    }

    synchronized int count(Verdict verdict) {
        return rounds.getOrDefault(verdict, 0);
    }

    synchronized int rounds() {
        return rounds.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Whether no guest was lost, none is stuck, and nothing else went wrong. */
    synchronized boolean good() {
        return bad.isEmpty();
    }

    /** One line. */
    synchronized String progress(double seconds) {
        return String.format(
                Locale.ROOT,
                "%.0f s: %d rounds, %d faults survived, %d recoveries, %d of them failed, %d guests lost, %d rounds stuck or broken",
                seconds,
                rounds(),
                faults,
                recovery.size() + failedRecoveries,
                failedRecoveries,
                count(Verdict.LOST),
                count(Verdict.STUCK) + count(Verdict.BROKEN));
    }

    synchronized String table() {
        Table faultTable = new Table(heads());
        survived.forEach((kind, states) -> {
            List<String> row = new ArrayList<>(List.of(kind));
            for (String state : columns()) {
                row.add(states.containsKey(state) ? states.get(state).toString() : "-");
            }
            faultTable.row(row.toArray(String[]::new));
        });
        Table times = new Table("milliseconds", "count", "median", "p99", "max");
        times.row(row("lost channel -> first end paused", first));
        times.row(row("lost channel -> both ends paused", both));
        times.row(row("migrate resume -> both ends go on", recovery));
        times.row(row("kill -9 of park, unpark -> both ends go on", restart));
        Table verdicts = new Table("rounds", "" + rounds());
        verdicts.row("  completed, memory right", "" + count(Verdict.COMPLETED));
        verdicts.row("  source killed in precopy, nobody ran its guest", "" + count(Verdict.GONE));
        verdicts.row("  given up by its QEMU, and brought again", "" + count(Verdict.TAKEN_BACK));
        verdicts.row("  guests lost", "" + count(Verdict.LOST));
        verdicts.row("  stuck", "" + count(Verdict.STUCK));
        verdicts.row("  broken otherwise", "" + count(Verdict.BROKEN));
        verdicts.row("faults survived", "" + faults);
        verdicts.row("recoveries that failed and were tried again", "" + failedRecoveries);
        verdicts.row("states never exercised", String.join(", ", never()));
        String gap = System.lineSeparator();
        return faultTable + gap + times + gap + verdicts;
    }

    private String[] heads() {
        List<String> heads = new ArrayList<>(List.of("fault, by the source's state"));
        heads.addAll(columns());
        return heads.toArray(String[]::new);
    }

    /** The known states, and those that were met besides. */
    private List<String> columns() {
        List<String> columns = new ArrayList<>(STATES);
        TreeSet<String> more = new TreeSet<>();
        survived.values().forEach(states -> more.addAll(states.keySet()));
        STATES.forEach(more::remove);
        columns.addAll(more);
        return columns;
    }

    private List<String> never() {
        List<String> never = new ArrayList<>(STATES);
        survived.values().forEach(states -> never.removeAll(states.keySet()));
        return never.isEmpty() ? List.of("none") : never;
    }

    private static String[] row(String name, List<Double> times) {
        return new String[] {
            name,
            "" + times.size(),
            shown(quantile(times, 0.5)),
            shown(quantile(times, 0.99)),
            shown(quantile(times, 1))
        };
    }

    private static String shown(double millis) {
        return millis < 0 ? "-" : String.format(Locale.ROOT, "%.1f", millis);
    }

    /** The smallest value that at least that share of all does not exceed; -1 if there are none. */
    static double quantile(List<Double> values, double share) {
        if (values.isEmpty()) {
            return -1;
        }
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int index = (int) Math.ceil(share * sorted.size()) - 1;
        return sorted.get(Math.clamp(index, 0, sorted.size() - 1));
    }

    synchronized JsonObject toJson() {
        JsonObject.Builder counted = JsonObject.builder();
        survived.forEach((kind, states) -> {
            JsonObject.Builder each = JsonObject.builder();
            states.forEach(each::put);
            counted.put(kind, each.build());
        });
        return JsonObject.builder()
                .put("good", good())
                .put("rounds", rounds())
                .put("completed", count(Verdict.COMPLETED))
                .put("gone", count(Verdict.GONE))
                .put("taken-back", count(Verdict.TAKEN_BACK))
                .put("lost", count(Verdict.LOST))
                .put("stuck", count(Verdict.STUCK))
                .put("broken", count(Verdict.BROKEN))
                .put("faults", faults)
                .put("faults-by-kind-and-state", counted.build())
                .put("failed-recoveries", failedRecoveries)
                .put("first-paused-ms", times(first))
                .put("both-paused-ms", times(both))
                .put("recovery-ms", times(recovery))
                .put("restart-ms", times(restart))
                .put("never", new JsonArray(never().stream().<Json>map(Json::of).toList()))
                .put(
                        "bad-seeds",
                        new JsonArray(bad.stream()
                                .<Json>map(result -> Json.of(result.plan().seed()))
                                .toList()))
                .build();
    }

    private static JsonObject times(List<Double> times) {
        return JsonObject.builder()
                .put("count", times.size())
                .put("median", quantile(times, 0.5))
                .put("p99", quantile(times, 0.99))
                .put("max", quantile(times, 1))
                .build();
    }
}
