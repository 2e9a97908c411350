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
            out.accept("%6d.%06d ms  %-11s  %s".formatted(now / 1_000_000, now % 1_000_000, who, what));
        }
    }

    void event(String who, Supplier<String> what) {
        if (out != null) {
            event(who, what.get());
        }
    }
}
