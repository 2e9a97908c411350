// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Happening;
import io.godwit.app.lab.Happening.Entry;
import io.godwit.app.lab.Side;
import io.godwit.app.term.Row;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** One line for each thing that happens: seconds, who, what. For pipes, files and terminals that can do no more. */
record PlainView(PrintWriter out) implements View {
    @Override
    public void show(List<Entry> entries) {
        for (Entry entry : entries) {
            out.println(line(entry));
        }
        out.flush();
    }

    static String line(Entry entry) {
        String time = String.format(Locale.ROOT, "%9.3f  ", entry.seconds());
        return time
                + switch (entry.happening()) {
                    case Happening.Step(String title) -> "== " + title;
                    case Happening.Order(Side side, String command) ->
                        who(side == null ? "both" : side.toString()) + "> " + command;
                    case Happening.Status(Side side, String status, String reason) ->
                        who(side.toString()) + status + (reason.isEmpty() ? "" : " (" + reason + ")");
                    case Happening.GuestRuns(Side side, boolean runs) ->
                        who(side.toString()) + (runs ? "the guest runs here" : "the guest has stopped here");
                    case Happening.Notice(Side side, String text) -> who(side.toString()) + "note: " + text;
                    case Happening.Network(String where, String what) -> who("network") + where + ": " + what;
                    case Happening.Outcome(String text) -> who("demo") + text;
                };
    }

    private static String who(String name) {
        return String.format(Locale.ROOT, "%-12s ", name);
    }

    @Override
    public void end(Report report) {
        for (Row row : Summary.of(report, false)) {
            out.println(row);
        }
        out.flush();
    }
}
