// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The readable dialogue of a run: one line per event, with the virtual time and whose it is. Costs nothing while nobody listens. */
final class Trace {
    private final @Nullable Consumer<String> out;
    private final LongSupplier clock;

    Trace(@Nullable Consumer<String> out, LongSupplier clock) {
        this.out = out;
        this.clock = clock;
    }

    boolean on() {
        return out != null;
    }

    void event(String who, String what) {
        if (out != null) {
            long now = clock.getAsLong();
            String fraction = Long.toString(1_000_000 + now % 1_000_000).substring(1);
            out.accept(
                    right(Long.toString(now / 1_000_000), 6) + "." + fraction + " ms  " + left(who, 11) + "  " + what);
        }
    }

    void event(String who, Supplier<String> what) {
        if (out != null) {
            event(who, what.get());
        }
    }

    private static String right(String text, int width) {
        return text.length() >= width ? text : " ".repeat(width - text.length()) + text;
    }

    private static String left(String text, int width) {
        return text.length() >= width ? text : text + " ".repeat(width - text.length());
    }
}
