// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.term.Ink;
import io.godwit.app.term.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The report for people: what was lost, how often its recovery failed, what became of it, the verdict. */
final class Summary {
    private static final int LABEL = 2;
    private static final int VALUE = 15;
    private static final int NAME = 12;
    private static final int FAULT = 42;

    private final Report report;
    private final boolean colour;
    private final List<Row> rows = new ArrayList<>();

    private Summary(Report report, boolean colour) {
        this.report = report;
        this.colour = colour;
    }

    /** In lines that fit 100 columns; what says why it failed may be longer and is not cut off. */
    static List<Row> of(Report report, boolean colour) {
        Summary summary = new Summary(report, colour);
        summary.fill();
        return summary.rows;
    }

    private void fill() {
        row();
        int n = 0;
        for (Report.Loss loss : report.losses) {
            loss(++n, loss);
        }
        if (report.guest.size() > 0) {
            figures();
        }
        if (!report.legs.isEmpty()) {
            legs();
        }
        if (!report.tails.isEmpty()) {
            report.tails.forEach(line -> row().add(Ink.DIM, line));
            row();
        }
        verdict();
    }

    private void loss(int n, Report.Loss loss) {
        label("loss " + n)
                .add(Ink.BOLD, loss.cause())
                .add(String.format(
                        Locale.ROOT,
                        ": source paused after %s, destination after %s",
                        Figures.millis(loss.sourceMillis()),
                        Figures.millis(loss.destinationMillis())));
        String guest = loss.written() < 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; the guest wrote %s pages, %d of its threads waited for one",
                        Figures.count(loss.written()),
                        loss.waiting());
        row().to(VALUE).add(String.format(Locale.ROOT, "lasted %.1f s", loss.lastedMillis() / 1000) + guest);
        for (Report.Failure failure : loss.failures()) {
            row().to(VALUE)
                    .add(Ink.YELLOW, "recovery " + failure.number())
                    .to(VALUE + NAME)
                    .add(failure.fault().words())
                    .to(VALUE + NAME + FAULT)
                    .add(
                            Ink.DIM,
                            failure.kickMillis() < 0
                                    ? "paused after "
                                            + Figures.millis(
                                                    Math.max(failure.sourceMillis(), failure.destinationMillis()))
                                    : Figures.millis(failure.kickMillis()) + " after migrate-pause");
        }
        row().to(VALUE)
                .add(Ink.GREEN, "recovered")
                .to(VALUE + NAME)
                .add("postcopy-active at both ends after " + Figures.millis(loss.recoveryMillis()));
    }

    private void figures() {
        label("moved")
                .add(Figures.size(Figures.of(report.sourceMigration, "ram", "transferred")) + " for a guest of "
                        + Figures.size(report.settings.size()) + ", "
                        + Figures.count(report.destinationMigration.int64("x-godwit-duplicates", 0))
                        + " pages came twice and were dropped");
        label("downtime").add(Figures.downtime(report.sourceMigration) + " at the switch to postcopy");
        label("page requests").add(Figures.requests(report.destinationMigration));
        row().to(VALUE).add("every wait ended with its page, through a loss, too");
        label("writers")
                .add(report.settings.writers() + " wrote " + Figures.count(report.guest.int64("pages-written", 0))
                        + " pages, at the source and at the destination");
        label("memory")
                .add(
                        report.memory.bool("ok", false) ? Ink.GREEN : Ink.RED,
                        report.memory.string("summary", "was not compared"));
        row();
    }

    private void legs() {
        for (Report.Leg leg : report.legs) {
            label(leg.name())
                    .add(Figures.size(Figures.of(leg.source(), "ram", "transferred")) + " for a VM of "
                            + Figures.size(report.settings.size()));
        }
        if (report.runsAfterMillis >= 0) {
            row().to(VALUE).add("the VM ran again after " + Figures.millis(report.runsAfterMillis));
        }
        label("memory")
                .add(
                        report.memory.bool("ok", false) ? Ink.GREEN : Ink.RED,
                        report.memory.string("summary", "was not looked at"));
        row();
    }

    private void verdict() {
        String failure = report.failure;
        if (report.passed()) {
            row().add(Ink.BOLD_GREEN, "PASSED")
                    .add(String.format(
                            Locale.ROOT,
                            ": the channel was lost %d times, %d recoveries failed, nothing was lost (%.1f s)",
                            report.losses.size(),
                            report.failedRecoveries(),
                            report.seconds));
        } else {
            row().add(Ink.BOLD_RED, "FAILED")
                    .add(": "
                            + (failure != null
                                    ? failure
                                    : report.memory.string("summary", "the memory was not compared")));
        }
    }

    private Row label(String text) {
        return row().to(LABEL).add(Ink.DIM, text).to(VALUE);
    }

    private Row row() {
        Row row = new Row(Integer.MAX_VALUE, colour);
        rows.add(row);
        return row;
    }
}
