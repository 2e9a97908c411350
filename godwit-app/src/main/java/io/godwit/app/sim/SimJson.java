// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.protocol.MigrationStatus;
import io.godwit.sim.CutSearch;
import io.godwit.sim.FaultKind;
import io.godwit.sim.Outcome;
import io.godwit.sim.Summary;
import io.godwit.sim.check.CheckReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was found, as data. A member is added at times, none is renamed. */
final class SimJson {
    private SimJson() {}

    static JsonObject of(Summary summary, long first, int threads, double seconds) {
        Map<String, Json> source = new LinkedHashMap<>();
        Map<String, Json> destination = new LinkedHashMap<>();
        for (MigrationStatus status : MigrationStatus.values()) {
            source.put(status.word(), Json.of(summary.sourceIn(status)));
            destination.put(status.word(), Json.of(summary.destinationIn(status)));
        }
        Map<String, Json> faults = new LinkedHashMap<>();
        for (FaultKind kind : FaultKind.values()) {
            faults.put(word(kind), Json.of(summary.faults(kind)));
        }
        Map<String, Json> restarts = new LinkedHashMap<>();
        for (Outcome.Restart found : Outcome.Restart.values()) {
            restarts.put(found.name().toLowerCase(Locale.ROOT), Json.of(summary.restarts(found)));
        }
        return JsonObject.builder()
                .put("good", summary.violations() == 0)
                .put("runs", summary.runs())
                .put("first-seed", first)
                .put("threads", threads)
                .put("seconds", Math.round(seconds * 1000) / 1000.0)
                .put("moved", summary.count(Outcome.End.MOVED))
                .put("stayed", summary.count(Outcome.End.STAYED))
                .put("by-word", summary.byWord())
                .put("recoveries", summary.recoveries())
                .put("events", summary.events())
                .put("virtual-seconds", summary.nanos() / 1_000_000_000)
                .put("faults", new JsonObject(faults))
                .put("restarts", new JsonObject(restarts))
                .put("source", new JsonObject(source))
                .put("destination", new JsonObject(destination))
                .put(
                        "violations",
                        new JsonArray(
                                summary.bad().stream().<Json>map(SimJson::of).toList()))
                .build();
    }

    static JsonObject of(Outcome outcome) {
        JsonObject.Builder json =
                JsonObject.builder().put("seed", outcome.seed()).put("good", outcome.good());
        if (outcome.violation() != null) {
            json.put("violation", outcome.violation());
        }
        if (outcome.end() != null) {
            json.put("end", outcome.end().name().toLowerCase(Locale.ROOT));
        }
        return json.put("by-word", outcome.byWord())
                .put("recoveries", outcome.recoveries())
                .put("events", outcome.events())
                .build();
    }

    static JsonObject of(CheckReport report) {
        JsonObject.Builder json = JsonObject.builder()
                .put("world", report.world().name())
                .put("failures", report.world().failures())
                .put("good", report.good())
                .put("complete", report.complete())
                .put("states", report.states())
                .put("transitions", report.transitions())
                .put("diameter", report.diameter())
                .put("source-states", report.sourceStates())
                .put("destination-states", report.destinationStates())
                .put("milliseconds", report.nanos() / 1_000_000);
        if (report.violation() != null) {
            json.put("violation", report.violation()).put("dialogue", strings(report.dialogue()));
        }
        return json.build();
    }

    static JsonObject of(CutSearch.Row row) {
        return JsonObject.builder()
                .put("journey", row.journey().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .put("way", row.back() ? "back" : "there")
                .put("fault", row.how().name().toLowerCase(Locale.ROOT))
                .put("places", row.places())
                .put("moved", row.moved())
                .put("stayed", row.stayed())
                .put("by-word", row.byWord())
                .put("recoveries", row.recoveries())
                .put("violations", strings(row.violations()))
                .build();
    }

    private static String word(FaultKind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static JsonArray strings(List<String> values) {
        return new JsonArray(values.stream().<Json>map(Json::of).toList());
    }
}
