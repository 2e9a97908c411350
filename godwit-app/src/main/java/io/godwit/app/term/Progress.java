// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Says now and then how far a long work has come, a line each time; a short one says nothing. For one thread. */
public final class Progress {
    private static final long EVERY_NANOS = 2_000_000_000L;

    private final PrintWriter out;
    private final String what;
    private final long total;
    private final LongSupplier clock;
    private long last;

    /**
     * @param what is done, as in "verifying"
     * @param total of the same unit as what is told later; 0 if nobody knows
     * @param clock monotonic nanoseconds
     */
    public Progress(PrintWriter out, String what, long total, LongSupplier clock) {
        this.out = out;
        this.what = what;
        this.total = total;
        this.clock = clock;
        this.last = clock.getAsLong();
    }

    /** @param unit how so much is said, where no share of a total can be */
    public void at(long done, java.util.function.LongFunction<String> unit) {
        long now = clock.getAsLong();
        if (now - last >= EVERY_NANOS) {
            last = now;
            out.println(
                    total > 0
                            ? String.format(Locale.ROOT, "%s: %d %%", what, done * 100 / total)
                            : what + ": " + unit.apply(done));
        }
    }
}
