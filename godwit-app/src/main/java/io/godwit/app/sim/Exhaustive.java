// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.sim.CutSearch;
import io.godwit.sim.CutSearch.Break;
import io.godwit.sim.CutSearch.Journey;
import io.godwit.sim.check.CheckReport;
import io.godwit.sim.check.CheckWorld;
import io.godwit.sim.check.Checker;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** What leaves nothing to chance: the model checker's worlds one after another, then a break after every byte. */
final class Exhaustive {
    private record Direction(Journey journey, boolean back, Break how) {}

    private final PrintWriter out;
    private final boolean json;
    private final int threads;
    private final List<CheckWorld> worlds;
    private final int stride;
    private final Progress progress;

    /** @param failures how many a world may have; null for as many as take minutes */
    Exhaustive(PrintWriter out, boolean json, int threads, @Nullable Integer failures, int stride) {
        this.out = out;
        this.json = json;
        this.threads = threads;
        this.stride = stride;
        this.progress = new Progress(out, !json);
        int many = failures == null ? 2 : failures;
        this.worlds = List.of(
                CheckWorld.precopy(many),
                CheckWorld.postcopy(many),
                CheckWorld.preempt(failures == null ? 1 : failures),
                CheckWorld.recovery(many),
                CheckWorld.recoveryWithPreempt(many));
    }

    /** Whether no rule is broken. */
    boolean run() {
        List<CheckReport> reports = new ArrayList<>();
        say("%-24s %8s %10s %12s %9s %8s %12s %8s"
                .formatted(
                        "every state",
                        "failures",
                        "states",
                        "transitions",
                        "diameter",
                        "source",
                        "destination",
                        "seconds"));
        for (CheckWorld world : worlds) {
            CheckReport report = check(world);
            reports.add(report);
            show(report);
        }
        List<CutSearch.Row> rows = cuts();
        boolean good = reports.stream().allMatch(CheckReport::good)
                && rows.stream().allMatch(row -> row.violations().isEmpty());
        if (json) {
            out.println(JsonObject.builder()
                    .put("good", good)
                    .put("worlds", array(reports.stream().<Json>map(SimJson::of).toList()))
                    .put("cuts", array(rows.stream().<Json>map(SimJson::of).toList()))
                    .build());
        } else {
            say("");
            say(good ? "no rule is broken" : "RULES ARE BROKEN");
        }
        return good;
    }

    private static JsonArray array(List<Json> values) {
        return new JsonArray(values);
    }

    private CheckReport check(CheckWorld world) {
        AtomicLong states = new AtomicLong();
        AtomicReferenceArray<@Nullable CheckReport> found = new AtomicReferenceArray<>(1);
        new Crew(1, 1, number -> found.set(0, Checker.check(world, states::set)))
                .await(() -> progress.show(() -> world.name() + ": " + states.get() + " states"));
        progress.clear();
        CheckReport report = found.get(0);
        if (report == null) {
            throw new IllegalStateException(world + " came to no end");
        }
        return report;
    }

    private void show(CheckReport report) {
        say("%-24s %8d %10d %12d %9d %8d %12d %8.1f"
                .formatted(
                        report.world().name(),
                        report.world().failures(),
                        report.states(),
                        report.transitions(),
                        report.diameter(),
                        report.sourceStates(),
                        report.destinationStates(),
                        report.nanos() / 1e9));
        if (report.violation() != null) {
            report.dialogue().forEach(this::say);
        } else if (!report.complete()) {
            say("  not all of it: there are more states than are kept");
        }
    }

    private List<CutSearch.Row> cuts() {
        List<Direction> directions = new ArrayList<>();
        for (Journey journey : Journey.values()) {
            for (Break how : Break.values()) {
                directions.add(new Direction(journey, false, how));
                directions.add(new Direction(journey, true, how));
            }
        }
        CutSearch.Row[] rows = new CutSearch.Row[directions.size()];
        AtomicInteger done = new AtomicInteger();
        new Crew(threads, rows.length, number -> {
                    Direction direction = directions.get((int) number);
                    CutSearch.Row row =
                            CutSearch.everywhere(direction.journey(), direction.back(), direction.how(), stride, 0);
                    synchronized (rows) {
                        rows[(int) number] = row;
                    }
                    done.incrementAndGet();
                })
                .await(() -> progress.show(() -> "breaks: " + done.get() + " of " + rows.length + " kinds"));
        progress.clear();
        say("");
        say(CutSearch.heading());
        List<CutSearch.Row> all = new ArrayList<>();
        synchronized (rows) {
            for (CutSearch.Row row : rows) {
                // Nothing ever goes back on a preempt channel.
                if (row.places() > 0) {
                    all.add(row);
                    say(row.toString());
                    row.violations().forEach(this::say);
                }
            }
        }
        return all;
    }

    private void say(String line) {
        if (!json) {
            out.println(line);
            out.flush();
        }
    }
}
