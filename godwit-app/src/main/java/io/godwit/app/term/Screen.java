// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.sys.TerminalSize;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Standard output as a terminal: lines that stay and scroll, and below them a few that are drawn again and again. It asks for the size at every drawing, so
 * it follows a window that is resized. Neither the cursor nor a mode of the terminal is changed: nothing needs to be put back, however the program ends. For one thread.
 */
public final class Screen {
    private static final String CLEAR = "\r\033[J";

    private final PrintWriter out;
    private List<Integer> drawn = List.of();

    /** @param out of the terminal */
    public Screen(PrintWriter out) {
        this.out = out;
    }

    /** Whether standard output is a terminal on which lines can be drawn again. */
    public static boolean usable(Map<String, String> environment) {
        String term = environment.getOrDefault("TERM", "dumb");
        return !term.isEmpty() && !term.equals("dumb") && size().isPresent();
    }

    /** Whether colours are wanted (no-color.org). */
    public static boolean colour(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty();
    }

    /** Whether what is written there may have more than ASCII's characters. */
    public static boolean unicode(Charset charset) {
        return charset.newEncoder().canEncode("│●»");
    }

    /** Standard output's size, if it is a terminal. */
    public static Optional<TerminalSize> size() {
        return TerminalSize.of(TerminalSize.STDOUT);
    }

    /** How a screen's lines are made for its size. */
    @FunctionalInterface
    public interface Content {
        /** The lines; each at most {@code columns} wide. */
        List<Row> rows(int columns);
    }

    /** Prints lines that stay, and draws the others below them; those are left away where there is no room. */
    public void draw(Content staying, Content panel) {
        TerminalSize size = size().orElse(new TerminalSize(80, 24));
        // A line as wide as the terminal would leave its cursor in a place that terminals do not agree on.
        int columns = Math.max(1, size.columns() - 1);
        StringBuilder text = new StringBuilder(erase(size.columns()));
        for (Row row : staying.rows(columns)) {
            text.append(row).append("\n");
        }
        List<Row> below = panel.rows(columns);
        if (below.size() + 2 > size.rows()) {
            below = List.of();
        }
        for (Row row : below) {
            text.append(row).append("\n");
        }
        drawn = below.stream().map(Row::used).toList();
        out.print(text);
        out.flush();
    }

    /** Takes the lines away that are drawn again; a window that became narrower has folded them. */
    private String erase(int columns) {
        int rows = drawn.stream()
                .mapToInt(used -> Math.max(1, (used + columns - 1) / columns))
                .sum();
        return rows == 0 ? "" : "\033[%dA".formatted(rows) + CLEAR;
    }
}
