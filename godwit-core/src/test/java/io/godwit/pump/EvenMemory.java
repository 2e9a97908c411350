// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A source's memory in which no page is all zero and none changes, and each says which it is; one may be damaged, and one be waited for. */
final class EvenMemory implements PageSource {
    private final BlockTable blocks;
    private long damaged = -1;
    private long beingRead = -1;
    private int together;
    private boolean lends;
    private int lent;
    private int loans;

    EvenMemory(BlockTable blocks) {
        this.blocks = blocks;
    }

    /** The page of that number cannot be read any more, in no block. */
    void damage(long page) {
        damaged = page;
    }

    /** That page, in any block, is being read until another is named. */
    void reads(long page) {
        beingRead = page;
    }

    /** So many pages, from each multiple of that on, are at hand together. */
    void givesTogether(int pages) {
        together = pages;
    }

    /** Of those that are at hand together each second lot is lent. */
    void lends(boolean itDoes) {
        lends = itDoes;
    }

    /** How many loans are not back. */
    int lent() {
        return lent;
    }

    /** How many were made. */
    int loans() {
        return loans;
    }

    @Override
    public @Nullable Loan lend(int block, long first, int count, int gap) {
        if (!lends || first / together % 2 == 1) {
            return null;
        }
        lent++;
        loans++;
        ByteBuffer bytes = ByteBuffer.allocate(count * (Pages.SIZE + gap) - gap);
        for (int i = 0; i < count; i++) {
            bytes.putLong(i * (Pages.SIZE + gap), says(block, first + i));
        }
        return new Loan(bytes, () -> lent--);
    }

    /** What a page begins with. */
    static long says(int block, long page) {
        return (block + 1L) << 40 | page;
    }

    @Override
    public int atHand(int block, long first, int most) {
        return together == 0 ? 0 : (int) Math.min(most, together - first % together);
    }

    @Override
    public boolean ready(int block, long page) {
        return page != beingRead;
    }

    @Override
    public BlockTable blocks() {
        return blocks;
    }

    @Override
    public void trackDirty(boolean on) {}

    @Override
    public long harvestDirty(int block, PageBitmap dirty) {
        return 0;
    }

    @Override
    public boolean isZero(int block, long page) {
        return false;
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        if (page == damaged) {
            throw new StorageException("page " + page + " is damaged");
        }
        out.putLong(says(block, page)).put(new byte[Pages.SIZE - Long.BYTES]);
    }
}
