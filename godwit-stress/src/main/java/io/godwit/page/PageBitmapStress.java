// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** Bits of one word, changed by two threads. */
public final class PageBitmapStress {
    private PageBitmapStress() {}

    private static int one(boolean bit) {
        return bit ? 1 : 0;
    }

    /** A page is claimed by exactly one. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one of them was first")
    @Outcome(expect = FORBIDDEN, desc = "claimed by both, or by nobody")
    @State
    public static class SetAgainstSet {
        private final PageBitmap bits = new PageBitmap(64);

        @Actor
        public void one(II_Result result) {
            result.r1 = PageBitmapStress.one(bits.set(7));
        }

        @Actor
        public void other(II_Result result) {
            result.r2 = PageBitmapStress.one(bits.set(7));
        }
    }

    /** Exactly one of two takes a page out. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one of them was first")
    @Outcome(expect = FORBIDDEN, desc = "taken by both, or by nobody")
    @State
    public static class ClearAgainstClear {
        private final PageBitmap bits = new PageBitmap(64);

        public ClearAgainstClear() {
            bits.set(7);
        }

        @Actor
        public void one(II_Result result) {
            result.r1 = PageBitmapStress.one(bits.clear(7));
        }

        @Actor
        public void other(II_Result result) {
            result.r2 = PageBitmapStress.one(bits.clear(7));
        }
    }

    /** Neighbours in one word, changed in four ways, don't undo each other. */
    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "set, cleared, added")
    @Outcome(expect = FORBIDDEN, desc = "a neighbour's change is undone")
    @State
    public static class Neighbours {
        private final PageBitmap bits = new PageBitmap(64);

        public Neighbours() {
            bits.set(8);
            bits.set(20);
        }

        @Actor
        public void one() {
            bits.set(7);
            bits.clear(8);
        }

        @Actor
        public void other() {
            bits.orWord(0, 1L << 9);
            bits.clearRange(20, 22);
        }

        @Arbiter
        public void afterwards(III_Result result) {
            result.r1 = PageBitmapStress.one(bits.get(7));
            result.r2 = PageBitmapStress.one(bits.get(8) || bits.get(20));
            result.r3 = PageBitmapStress.one(bits.get(9));
        }
    }

    /** Who sees the bit sees what was written before it was set. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 42", "1, 42"},
            expect = ACCEPTABLE,
            desc = "nothing seen without what was before it")
    @Outcome(expect = FORBIDDEN, desc = "the bit without the page")
    @State
    public static class Publication {
        private final PageBitmap bits = new PageBitmap(64);
        private int page;

        @Actor
        public void placer() {
            page = 42;
            bits.set(7);
        }

        @Actor
        public void guest(II_Result result) {
            result.r1 = PageBitmapStress.one(bits.get(7));
            result.r2 = page;
        }
    }
}
