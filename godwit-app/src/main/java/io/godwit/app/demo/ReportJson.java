// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Happening;
import io.godwit.app.lab.Happening.Entry;
import io.godwit.app.lab.Side;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import java.util.List;

/** The report and the timeline as data. Times are milliseconds, sizes bytes; a member is added at times, none is renamed. */
final class ReportJson {
    private static final double ROUND = 1000;

    private ReportJson() {}

    static JsonObject of(Report report, List<Entry> timeline) {
        JsonObject.Builder json = JsonObject.builder().put("verdict", report.passed() ? "passed" : "failed");
        if (report.failure != null) {
            json.put("failure", report.failure);
        }
        json.put("settings", report.settings.toJson())
                .put("seconds", round(report.seconds))
                .put(
                        "losses",
                        new JsonArray(
                                report.losses.stream().map(ReportJson::loss).toList()))
                .put("failed-recoveries", report.failedRecoveries());
        if (report.settings.qemu() == null) {
            embedded(json, report);
        } else {
            virtual(json, report);
        }
        json.put("memory", report.memory)
                .put(
                        "timeline",
                        new JsonArray(timeline.stream().map(ReportJson::entry).toList()));
        if (!report.tails.isEmpty()) {
            json.put("logs", strings(report.tails));
        }
        return json.build();
    }

    private static void embedded(JsonObject.Builder json, Report report) {
        json.put("downtime-ms", report.sourceMigration.int64("downtime", -1))
                .put("source", report.sourceMigration)
                .put("destination", report.destinationMigration)
                .put("guest", report.guest)
                .put("source-refused-cont", report.contRefused);
    }

    private static void virtual(JsonObject.Builder json, Report report) {
        json.put("accelerator", report.accelerator)
                .put("runs-after-ms", round(report.runsAfterMillis))
                .put(
                        "legs",
                        new JsonArray(report.legs.stream()
                                .<Json>map(leg -> JsonObject.builder()
                                        .put("leg", leg.name())
                                        .put("source", leg.source())
                                        .put("destination", leg.destination())
                                        .build())
                                .toList()));
    }

    private static Json loss(Report.Loss loss) {
        JsonObject.Builder json = JsonObject.builder()
                .put("cause", loss.cause())
                .put("source-paused-ms", round(loss.sourceMillis()))
                .put("destination-paused-ms", round(loss.destinationMillis()))
                .put("lasted-ms", round(loss.lastedMillis()))
                .put("recovery-ms", round(loss.recoveryMillis()));
        if (loss.written() >= 0) {
            json.put("pages-written-meanwhile", loss.written()).put("threads-waiting", loss.waiting());
        }
        return json.put(
                        "failed-recoveries",
                        new JsonArray(loss.failures().stream()
                                .map(ReportJson::failure)
                                .toList()))
                .build();
    }

    private static Json failure(Report.Failure failure) {
        JsonObject.Builder json = JsonObject.builder()
                .put("number", failure.number())
                .put("fault", failure.fault().toString())
                .put("words", failure.fault().words())
                .put("source-states", strings(failure.path()))
                .put("source-paused-ms", round(failure.sourceMillis()));
        if (failure.destinationMillis() >= 0) {
            json.put("destination-paused-ms", round(failure.destinationMillis()));
        }
        if (failure.kickMillis() >= 0) {
            json.put("kick-ms", round(failure.kickMillis()));
        }
        return json.put("source-reason", failure.outcome()).build();
    }

    private static Json entry(Entry entry) {
        JsonObject.Builder json = JsonObject.builder().put("ms", round(entry.nanos() / 1e6));
        return switch (entry.happening()) {
            case Happening.Step(String title) -> json.put("step", title).build();
            case Happening.Order(Side side, String command) ->
                json.put("order", command)
                        .put("to", side == null ? "both" : side.toString())
                        .build();
            case Happening.Status(Side side, String status, String reason) ->
                json.put("side", side.toString())
                        .put("status", status)
                        .put("reason", reason)
                        .build();
            case Happening.GuestRuns(Side side, boolean runs) ->
                json.put("side", side.toString()).put("guest-runs", runs).build();
            case Happening.Notice(Side side, String text) ->
                json.put("side", side.toString()).put("notice", text).build();
            case Happening.Network(String where, String what) ->
                json.put("network", where).put("what", what).build();
            case Happening.Outcome(String text) -> json.put("outcome", text).build();
        };
    }

    private static Json strings(List<String> values) {
        return new JsonArray(values.stream().<Json>map(Json::of).toList());
    }

    private static double round(double value) {
        return Math.round(value * ROUND) / ROUND;
    }
}
