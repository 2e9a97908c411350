// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import java.util.ArrayList;
import java.util.List;

/** Rows of words in columns, each as wide as its widest word. For one thread. */
public final class Table {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    /** @param heads of the columns */
    public Table(String... heads) {
        rows.add(List.of(heads));
    }

    /** One more row; it may have fewer words than there are columns, and its last word does not widen one then. */
    public void row(String... words) {
        rows.add(List.of(words));
    }

    @Override
    public String toString() {
        int columns = rows.getFirst().size();
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                boolean last = i == row.size() - 1;
                line.append(row.get(i));
                if (!last) {
                    line.append(" ".repeat(width(i, columns) - row.get(i).length()))
                            .append(GAP);
                }
            }
            text.append(line.toString().stripTrailing()).append(System.lineSeparator());
        }
        return text.toString();
    }

    private int width(int column, int columns) {
        return rows.stream()
                .filter(row -> column < row.size() - 1 || row.size() == columns)
                .mapToInt(row -> column < row.size() ? row.get(column).length() : 0)
                .max()
                .orElse(0);
    }
}
