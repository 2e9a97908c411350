// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.Happening.Entry;
import io.godwit.app.lab.Side;
import io.godwit.app.term.Ink;
import io.godwit.app.term.Row;
import io.godwit.app.term.Screen;
import io.godwit.json.JsonObject;
import io.godwit.page.Pages;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A terminal: the timeline with a lane for each end, and below it how far the migration is. */
final class LiveView implements View {
    private static final int TIME = 9;
    private static final int MOST_LANE = 26;
    private static final int LEAST_LANE = 18;
    private static final int LABEL = 15;
    private static final int NARROW = 76;
    private static final int MOST_BAR = 40;
    private static final int LEAST_BAR = 8;

    /** What stands behind the bar. */
    private static final int BEHIND_BAR = 20;

    private final Board board;
    private final Screen screen;
    private final boolean colour;
    private final boolean unicode;
    private final boolean virtual;
    private long lastWritten;
    private long lastAt;
    private long perSecond;

    /** @param virtual whether the guest is a QEMU's, which tells nothing of itself */
    LiveView(Board board, PrintWriter out, boolean colour, boolean unicode, boolean virtual) {
        this.board = board;
        this.screen = new Screen(out);
        this.colour = colour;
        this.unicode = unicode;
        this.virtual = virtual;
    }

    @Override
    public void show(List<Entry> entries) {
        measure();
        screen.draw(
                columns -> entries.stream()
                        .flatMap(entry -> rows(entry, columns).stream())
                        .toList(),
                this::panel);
    }

    @Override
    public void end(Report report) {
        screen.draw(_ -> Summary.of(report, colour), _ -> List.of());
    }

    private Row row(int columns) {
        return new Row(columns, colour);
    }

    private static int lane(int columns) {
        return columns < NARROW ? LEAST_LANE : MOST_LANE;
    }

    private List<Row> rows(Entry entry, int columns) {
        Row row = row(columns).add(Ink.DIM, String.format(Locale.ROOT, "%8.3f ", entry.seconds()));
        int lane = lane(columns);
        switch (entry.happening()) {
            case Happening.Step(String title) -> {
                Row heading = row(columns).to(TIME).add(Ink.BOLD, title);
                return List.of(row(columns), heading, lanes(columns));
            }
            case Happening.Order(Side side, String command) ->
                at(row, side == Side.DESTINATION ? 1 : 0, lane)
                        .add(Ink.BLUE, sign("» ", "> ") + (side == null ? "both: " : "") + command);
            case Happening.Status(Side side, String status, String reason) -> {
                at(row, side == Side.DESTINATION ? 1 : 0, lane).add(ink(status), sign("● ", "* ") + status);
                rest(row, side == Side.SOURCE, lane).add(Ink.DIM, reason);
            }
            case Happening.GuestRuns(Side side, boolean runs) -> {
                at(row, side == Side.DESTINATION ? 1 : 0, lane)
                        .add(Ink.MAGENTA, runs ? sign("▶ ", "+ ") + "guest runs" : sign("■ ", "- ") + "guest stopped");
                rest(row, side == Side.SOURCE, lane);
            }
            case Happening.Notice(Side side, String text) -> at(row, 2, lane).add(Ink.DIM, side + ": " + text);
            case Happening.Network(String where, String what) ->
                row.add(Ink.RED, sign("✗ ", "! ") + where + ": " + what);
            case Happening.Outcome(String text) -> row.add(Ink.CYAN, sign("→ ", "= ") + text);
        }
        return List.of(row);
    }

    private Row lanes(int columns) {
        int lane = lane(columns);
        return row(columns)
                .to(TIME)
                .add(Ink.DIM, title(Side.SOURCE))
                .to(TIME + lane)
                .add(Ink.DIM, title(Side.DESTINATION));
    }

    private String title(Side side) {
        String title = board.title(side);
        return title.equals(side.toString()) ? title : side + ": " + title;
    }

    /** Goes to a lane; those before it are there and quiet. */
    private Row at(Row row, int number, int lane) {
        for (int i = 0; i < number; i++) {
            row.to(TIME + i * lane).add(Ink.DIM, sign("│", "|"));
        }
        return number == 0 ? row : row.to(TIME + number * lane);
    }

    /** Goes to what is right of both lanes. */
    private Row rest(Row row, boolean other, int lane) {
        if (other) {
            row.to(TIME + lane).add(Ink.DIM, sign("│", "|"));
        }
        return row.to(TIME + 2 * lane);
    }

    private String sign(String beautiful, String plain) {
        return unicode ? beautiful : plain;
    }

    private static Ink ink(String status) {
        return switch (status) {
            case "active", "postcopy-active", "device" -> Ink.GREEN;
            case "completed" -> Ink.BOLD_GREEN;
            case "postcopy-paused" -> Ink.YELLOW;
            case "postcopy-recover", "postcopy-recover-setup" -> Ink.CYAN;
            case "failed", "uncertain", "cancelled" -> Ink.BOLD_RED;
            default -> Ink.PLAIN;
        };
    }

    /** How fast the guest writes, over about a second. */
    private void measure() {
        long now = board.now();
        long written = Math.max(
                board.guest(Side.SOURCE).int64("pages-written", 0),
                board.guest(Side.DESTINATION).int64("pages-written", 0));
        if (now - lastAt >= 1_000_000_000L) {
            perSecond = Math.max(0, written - lastWritten) * 1_000_000_000L / (now - lastAt);
            lastWritten = written;
            lastAt = now;
        }
    }

    private List<Row> panel(int columns) {
        JsonObject source = board.migration(Side.SOURCE);
        JsonObject destination = board.migration(Side.DESTINATION);
        List<Row> rows = new ArrayList<>();
        rows.add(row(columns).add(Ink.DIM, sign("─", "-").repeat(Math.min(columns, 100))));
        rows.add(end(columns, Side.SOURCE)
                .add("sent " + Figures.size(Figures.of(source, "ram", "transferred")) + ", remaining "
                        + Figures.size(Figures.of(source, "ram", "remaining"))));
        rows.add(
                virtual
                        ? moved(end(columns, Side.DESTINATION), columns)
                        : progress(end(columns, Side.DESTINATION), columns, destination));
        if (virtual) {
            rows.add(machine(columns));
            return rows;
        }
        rows.add(guest(columns));
        rows.add(row(columns).add(Ink.BOLD, " page requests").to(LABEL).add(Figures.requests(destination)));
        rows.add(row(columns).add(Ink.BOLD, " downtime").to(LABEL).add(Figures.downtime(source)));
        return rows;
    }

    private Row end(int columns, Side side) {
        String status = board.status(side);
        return row(columns)
                .add(Ink.BOLD, " " + side)
                .to(LABEL)
                .add(ink(status), sign("● ", "* ") + status)
                .to(LABEL + MOST_LANE);
    }

    private Row progress(Row row, int columns, JsonObject destination) {
        long total = Figures.of(destination, "x-godwit-received", "total");
        long missing = board.guest(Side.DESTINATION).int64("missing-pages", 0) * Pages.SIZE;
        if (total == 0 || !board.runs(Side.DESTINATION)) {
            return row.add("received " + Figures.size(Figures.of(destination, "x-godwit-received", "transferred")));
        }
        return bar(row, columns, total, missing);
    }

    private Row bar(Row row, int columns, long total, long missing) {
        int bar = Math.clamp(columns - row.used() - BEHIND_BAR, LEAST_BAR, MOST_BAR);
        int there = (int) (bar * (total - missing) / total);
        return row.add(Ink.GREEN, sign("█", "#").repeat(there))
                .add(Ink.DIM, sign("░", ".").repeat(bar - there))
                .add(missing == 0 ? " all here" : " " + Figures.size(missing) + " missing");
    }

    /** As {@link #progress}, as far as the source knows it. */
    private Row moved(Row row, int columns) {
        JsonObject source = board.migration(Side.SOURCE);
        long total = Figures.of(source, "ram", "total");
        boolean postcopy = board.status(Side.SOURCE).startsWith("postcopy");
        return total > 0 && postcopy ? bar(row, columns, total, Figures.of(source, "ram", "remaining")) : row;
    }

    private Row machine(int columns) {
        String where = board.runs(Side.SOURCE)
                ? "runs at the source, " + board.title(Side.SOURCE)
                : board.runs(Side.DESTINATION)
                        ? "runs at the destination, " + board.title(Side.DESTINATION)
                        : "does not run";
        return row(columns).add(Ink.BOLD, " VM").to(LABEL).add(Ink.MAGENTA, where);
    }

    private Row guest(int columns) {
        boolean there = board.runs(Side.DESTINATION);
        JsonObject stats = board.guest(there ? Side.DESTINATION : Side.SOURCE);
        long waiting = stats.int64("blocked-threads", 0);
        return row(columns)
                .add(Ink.BOLD, " guest")
                .to(LABEL)
                .add(Ink.MAGENTA, there ? "at the destination" : "at the source")
                .to(LABEL + MOST_LANE)
                .add(Figures.count(stats.int64("pages-written", 0)) + " pages, " + Figures.count(perSecond) + "/s; ")
                .add(waiting == 0 ? Ink.DIM : Ink.YELLOW, waiting + (waiting == 1 ? " thread waits" : " threads wait"));
    }
}
