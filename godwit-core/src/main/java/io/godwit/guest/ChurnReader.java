// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.GuestMemory;
import io.godwit.memory.GuestStopRequested;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;

/** One reader of a {@link ChurnGuest}: reads cold pages at random and compares them. It has no state that travels. */
final class ChurnReader {
    private final GuestMemory memory;
    private final ChurnLayout layout;
    private final ChurnPages pages;
    private final DamageLog damages;
    private final LongAdder read;
    private final SplittableRandom random;

    ChurnReader(
            GuestMemory memory, ChurnLayout layout, ChurnPages pages, DamageLog damages, LongAdder read, int reader) {
        this.memory = memory;
        this.layout = layout;
        this.pages = pages;
        this.damages = damages;
        this.read = read;
        this.random = new SplittableRandom(pages.seed() + reader);
    }

    /** Runs until the guest stops. */
    void run(BooleanSupplier stopping, Pace pace) {
        long[] found = new long[ChurnPages.WORDS];
        long[] expected = new long[ChurnPages.WORDS];
        try {
            while (!stopping.getAsBoolean()) {
                long place = layout.place(layout.coldIndex(random.nextLong(layout.coldPages())));
                memory.block(ChurnLayout.block(place)).readPage(ChurnLayout.page(place), found);
                pages.compose(expected, place, ChurnPages.COLD, 0);
                if (!Arrays.equals(found, expected)) {
                    damages.add(ChurnDiagnosis.written(pages, found, place, ChurnPages.COLD, 0));
                }
                read.increment();
                pace.next(stopping);
            }
        } catch (GuestStopRequested e) {
            // The page is missing; nobody remembers that it was to be read.
            return;
        }
    }
}
