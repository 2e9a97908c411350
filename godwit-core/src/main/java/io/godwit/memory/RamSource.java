// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** The side of the memory that a source sends from. On one thread; the guest may write meanwhile. */
final class RamSource implements PageSource {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final BlockTable table;
    private final RamBlock[] blocks;

    RamSource(BlockTable table, RamBlock[] blocks) {
        this.table = table;
        this.blocks = blocks;
    }

    @Override
    public BlockTable blocks() {
        return table;
    }

    /** Marks are made always, so that none is missed at the moment of switching on; see {@link DirtyCards}. Switching on forgets the old ones. */
    @Override
    public void trackDirty(boolean on) {
        if (on) {
            for (RamBlock block : blocks) {
                block.cards().forget();
            }
        }
    }

    @Override
    public long harvestDirty(int block, PageBitmap dirty) {
        return blocks[block].cards().harvest(dirty);
    }

    @Override
    public boolean isZero(int block, long page) {
        // Reading a never-touched page of a memfd would allocate it, so the marks are asked first.
        return blocks[block].cards().untouched(page) || holdsZeroes(blocks[block].ram(), page << Pages.SHIFT);
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        blocks[block].windows().read(page << Pages.SHIFT, out, Pages.SIZE);
    }

    /** First, middle and last word decide most pages; then eight words per test (guide: 106 ns for a zero page, 2 ns for most others). */
    static boolean holdsZeroes(MemorySegment ram, long offset) {
        if ((ram.get(LONG, offset) | ram.get(LONG, offset + Pages.SIZE / 2) | ram.get(LONG, offset + Pages.SIZE - 8))
                != 0) {
            return false;
        }
        for (long at = offset; at < offset + Pages.SIZE; at += 64) {
            long any = ram.get(LONG, at)
                    | ram.get(LONG, at + 8)
                    | ram.get(LONG, at + 16)
                    | ram.get(LONG, at + 24)
                    | ram.get(LONG, at + 32)
                    | ram.get(LONG, at + 40)
                    | ram.get(LONG, at + 48)
                    | ram.get(LONG, at + 56);
            if (any != 0) {
                return false;
            }
        }
        return true;
    }
}
