// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The table in {@code docs/compatibility.md}: what {@link MatrixQemuIT} saw, and nothing else. The page around it is written by hand. */
final class CompatibilityPage {
    private static final String BEGIN = "<!-- begin of what the tests saw -->";
    private static final String END = "<!-- end of what the tests saw -->";

    private CompatibilityPage() {}

    /** @param args what was seen, the page */
    public static void main(String[] args) throws IOException {
        Path page = Path.of(args[1]);
        Files.writeString(page, render(Files.readString(page), Files.readAllLines(Path.of(args[0]))));
    }

    /** The page with the table made anew; a later line about a cell counts for an earlier one. */
    static String render(String page, List<String> seen) {
        int begin = page.indexOf(BEGIN);
        int end = page.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalArgumentException("the page has no place for the table: " + BEGIN + " and " + END);
        }
        return page.substring(0, begin + BEGIN.length()) + "\n\n" + tables(cells(seen)) + page.substring(end);
    }

    private static Map<Cell, String> cells(List<String> lines) {
        Map<Cell, String> cells = new HashMap<>();
        for (String line : lines) {
            try {
                JsonObject json = (JsonObject) Json.parse(line);
                cells.put(
                        new Cell(
                                version(json.string("qemu")),
                                Cell.Role.valueOf(json.string("role").toUpperCase(java.util.Locale.ROOT)),
                                json.bool("preempt"),
                                Cell.Way.valueOf(json.string("way"))),
                        json.string("seen"));
            } catch (JsonSyntaxException e) {
                throw new IllegalArgumentException("what was seen is no JSON: " + line, e);
            }
        }
        return cells;
    }

    private static QemuVersion version(String series) {
        for (QemuVersion version : QemuVersion.values()) {
            if (version.series().equals(series)) {
                return version;
            }
        }
        throw new IllegalArgumentException("no QEMU " + series + " is known");
    }

    private static String tables(Map<Cell, String> seen) {
        StringBuilder text = new StringBuilder();
        for (Cell.Role role : Cell.Role.values()) {
            text.append(
                            role == Cell.Role.PARK
                                    ? "**QEMU is the source, Godwit parks.**"
                                    : "**Godwit unparks, QEMU is the destination.**")
                    .append("\n\n| |");
            for (QemuVersion version : QemuVersion.values()) {
                text.append(" ").append(version).append(" | ").append(version).append(" preempt |");
            }
            text.append("\n| --- |")
                    .append(" --- |".repeat(2 * QemuVersion.values().length))
                    .append("\n");
            for (Cell.Way way : Cell.Way.values()) {
                text.append("| ").append(way.title()).append(" |");
                for (QemuVersion version : QemuVersion.values()) {
                    for (boolean preempt : new boolean[] {false, true}) {
                        text.append(" ")
                                .append(shown(new Cell(version, role, preempt, way), seen))
                                .append(" |");
                    }
                }
                text.append("\n");
            }
            text.append("\n");
        }
        return text.toString();
    }

    private static String shown(Cell cell, Map<Cell, String> seen) {
        String what = seen.get(cell);
        if (what == null) {
            return Cell.all().contains(cell) ? "not tried" : "–";
        }
        return what.isEmpty() ? "yes" : what;
    }
}
