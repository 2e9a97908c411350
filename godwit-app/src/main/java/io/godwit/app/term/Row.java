// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

/** One line of a screen, put together from left to right, never wider than the screen. Counts characters, so it is for texts of one column each. For one thread. */
public final class Row {
    private final StringBuilder text = new StringBuilder();
    private final int width;
    private final boolean colour;
    private int used;

    /**
     * Begins a line.
     *
     * @param width the most that is shown
     * @param colour whether inks are used
     */
    public Row(int width, boolean colour) {
        this.width = width;
        this.colour = colour;
    }

    /** Adds a text; what does not fit is cut off. */
    public Row add(Ink ink, String more) {
        String fits = more.substring(0, Math.min(more.length(), Math.max(0, width - used)));
        used += fits.length();
        text.append(colour ? ink.paint(fits) : fits);
        return this;
    }

    /** Adds a text without ink. */
    public Row add(String more) {
        return add(Ink.PLAIN, more);
    }

    /** Adds blanks up to a column, at least one if the line is there or beyond it already. */
    public Row to(int column) {
        return add(" ".repeat(Math.max(used == 0 ? 0 : 1, column - used)));
    }

    /** Columns used so far. */
    public int used() {
        return used;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
