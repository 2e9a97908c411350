// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.GuestMemory;
import io.godwit.memory.GuestStopRequested;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/**
 * One writer of a {@link ChurnGuest}: walks its pages sweep by sweep, and before it writes sweep n into a page it reads it and finds sweep n-1. The state is
 * written by the writer's thread only; others may look at it any time, and rely on it once the guest has stopped.
 */
final class ChurnWriter {
    private final GuestMemory memory;
    private final ChurnLayout layout;
    private final ChurnPages pages;
    private final DamageLog damages;
    private final int writer;
    private volatile long position;
    private volatile long sweep;
    private volatile long written;

    ChurnWriter(GuestMemory memory, ChurnLayout layout, ChurnPages pages, DamageLog damages, State state) {
        this.memory = memory;
        this.layout = layout;
        this.pages = pages;
        this.damages = damages;
        this.writer = state.writer;
        this.position = state.position;
        this.sweep = state.sweep;
        this.written = state.written;
    }

    /**
     * Where a writer is: its pages before {@code position} hold {@code sweep}, the others {@code sweep - 1}.
     *
     * @param position next page in its walk, 0 to the number of its pages minus 1
     * @param sweep at least 1
     * @param written pages written so far
     */
    record State(int writer, long position, long sweep, long written) {
        static State first(int writer) {
            return new State(writer, 0, 1, 0);
        }

        long expectedSweep(long at) {
            return at < position ? sweep : sweep - 1;
        }
    }

    State state() {
        return new State(writer, position, sweep, written);
    }

    /** Runs until the guest stops. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // the only thread that writes them
    void run(BooleanSupplier stopping, Pace pace) {
        long owned = layout.owned(writer);
        if (owned == 0) {
            return;
        }
        long[] found = new long[ChurnPages.WORDS];
        long[] next = new long[ChurnPages.WORDS];
        try {
            while (!stopping.getAsBoolean()) {
                update(found, next);
                written++;
                if (position + 1 < owned) {
                    position++;
                } else {
                    sweep++;
                    position = 0;
                }
                pace.next(stopping);
            }
        } catch (GuestStopRequested e) {
            // The page at the position is missing and was not touched: the next start begins with it.
            return;
        }
    }

    private void update(long[] found, long[] next) {
        long place = layout.place(layout.hotIndex(writer, position));
        var block = memory.block(ChurnLayout.block(place));
        long page = ChurnLayout.page(place);
        block.readPage(page, found);
        pages.compose(next, place, writer, sweep - 1);
        if (!Arrays.equals(found, next)) {
            damages.add(ChurnDiagnosis.written(pages, found, place, writer, sweep - 1));
        }
        pages.compose(next, place, writer, sweep);
        block.writePage(page, next);
    }
}
