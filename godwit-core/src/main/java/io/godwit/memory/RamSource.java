// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;

/** The side of the memory that a source sends from. On one thread; the guest may write meanwhile. */
final class RamSource implements PageSource {
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
        return blocks[block].cards().untouched(page) || ZeroPage.isZero(blocks[block].ram(), page << Pages.SHIFT);
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        blocks[block].windows().read(page << Pages.SHIFT, out, Pages.SIZE);
    }
}
