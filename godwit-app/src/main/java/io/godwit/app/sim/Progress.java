// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import io.godwit.app.term.Ink;
import io.godwit.app.term.Row;
import io.godwit.app.term.Screen;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One line that is drawn again and again on a terminal; nothing in a pipe. For one thread. */
final class Progress {
    private final @Nullable Screen screen;
    private final boolean colour;

    Progress(PrintWriter out, boolean wanted) {
        screen = wanted && Screen.usable(System.getenv()) ? new Screen(out) : null;
        colour = Screen.colour(System.getenv());
    }

    void show(Supplier<String> line) {
        if (screen != null) {
            String text = line.get();
            screen.draw(columns -> List.of(), columns -> List.of(new Row(columns, colour).add(Ink.DIM, text)));
        }
    }

    void clear() {
        if (screen != null) {
            screen.draw(columns -> List.of(), columns -> List.of());
        }
    }
}
