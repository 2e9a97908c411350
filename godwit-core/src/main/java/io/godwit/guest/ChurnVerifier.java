// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.guest.Damage.Kind;
import io.godwit.memory.GuestMemory;
import java.util.Arrays;
import java.util.List;

/** Compares pages of a stopped {@link ChurnGuest} with what was written last. One thread. */
final class ChurnVerifier {
    private final GuestMemory memory;
    private final ChurnLayout layout;
    private final ChurnPages pages;
    private final List<ChurnWriter.State> states;
    private final DamageLog damages;
    private final long[] found = new long[ChurnPages.WORDS];
    private final long[] expected = new long[ChurnPages.WORDS];

    ChurnVerifier(GuestMemory memory, ChurnSetup setup, DamageLog damages) {
        this.memory = memory;
        this.layout = setup.layout();
        this.pages = setup.pages();
        this.states = setup.writers().stream().map(ChurnWriter::state).toList();
        this.damages = damages;
    }

    /** Compares the pages of the indexes {@code from} to {@code to} (exclusive). */
    void pages(long from, long to) {
        for (long index = from; index < to; index++) {
            long place = layout.place(index);
            int block = ChurnLayout.block(place);
            long page = ChurnLayout.page(place);
            if (!memory.isPresent(block, page)) {
                damages.add(Damage.of(Kind.ABSENT, ChurnLayout.name(block), page, "was not received"));
                continue;
            }
            memory.block(block).readPage(page, found);
            switch (layout.role(index)) {
                case HOT -> {
                    int writer = layout.owner(index);
                    compare(place, writer, states.get(writer).expectedSweep(layout.position(index)));
                }
                case COLD -> compare(place, ChurnPages.COLD, 0);
                case ZERO -> {
                    if (!ChurnDiagnosis.isZero(found)) {
                        damages.add(ChurnDiagnosis.notZero(found, place));
                    }
                }
            }
        }
    }

    private void compare(long place, int writer, long sweep) {
        pages.compose(expected, place, writer, sweep);
        if (!Arrays.equals(found, expected)) {
            damages.add(ChurnDiagnosis.written(pages, found, place, writer, sweep));
        }
    }
}
