// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import org.jspecify.annotations.Nullable;

/**
 * What is still to be sent, and in which order: urgent pages first, in the order they were asked for, then background pages from the last urgent page on,
 * since what a guest touches next is likely near. One bit per page; the urgent queue holds a page at most once, so its size is bounded by the memory's.
 *
 * <p>Used by one thread. A page address is one {@code long}: {@link #block} and {@link #page} take it apart.
 */
public final class PageScheduler {
    /** No page is left. */
    public static final long NONE = -1;

    private static final int PAGE_BITS = 40;
    private static final long PAGE_MASK = (1L << PAGE_BITS) - 1;

    private final BlockTable blocks;
    private final PageBitmap[] dirty;
    private final PageBitmap[] wanted;
    /** Null as long as {@link #dirty} says it: what was never taken. */
    private PageBitmap @Nullable [] neverTaken;

    private long remaining;
    private int cursorBlock;
    private long cursorPage;
    private long[] urgent = new long[64];
    private int urgentHead;
    private int urgentSize;

    public PageScheduler(BlockTable blocks) {
        this.blocks = blocks;
        this.dirty = new PageBitmap[blocks.size()];
        this.wanted = new PageBitmap[blocks.size()];
        for (int i = 0; i < dirty.length; i++) {
            dirty[i] = new PageBitmap(blocks.get(i).pages());
            wanted[i] = new PageBitmap(blocks.get(i).pages());
        }
    }

    public static long address(int block, long page) {
        return ((long) block << PAGE_BITS) | page;
    }

    public static int block(long address) {
        return (int) (address >>> PAGE_BITS);
    }

    public static long page(long address) {
        return address & PAGE_MASK;
    }

    /** Every page is to be sent, from the beginning on. */
    public void markAll() {
        for (PageBitmap bitmap : dirty) {
            bitmap.setAll();
        }
        neverTaken = null;
        remaining = blocks.totalPages();
        cursorBlock = 0;
        cursorPage = 0;
        forgetRequests();
    }

    /** As {@link #markAll}, but an earlier process may have sent any of them already. */
    public void markAllAgain() {
        markAll();
        neverTaken = new PageBitmap[dirty.length];
        for (int i = 0; i < dirty.length; i++) {
            neverTaken[i] = new PageBitmap(blocks.get(i).pages());
        }
    }

    /** The block's pages that are to be sent; for harvesting marks into it, after which {@link #recount} is due. */
    public PageBitmap dirty(int block) {
        return dirty[block];
    }

    /** Counts again after the bitmaps were changed from outside. */
    public void recount() {
        remaining = 0;
        for (PageBitmap bitmap : dirty) {
            remaining += bitmap.cardinality();
        }
    }

    /**
     * After a recovery: what the destination has not received is what is to be sent, and nothing else. Requests that were queued are forgotten, the
     * destination repeats them.
     */
    public void restart(PageBitmap[] received) {
        noteNeverTaken();
        for (int i = 0; i < dirty.length; i++) {
            for (int w = 0; w < dirty[i].wordCount(); w++) {
                dirty[i].setWord(w, ~received[i].word(w));
            }
        }
        forgetRequests();
        recount();
    }

    /** What was taken since the last restart has lost its dirty bit; from now on a dirty page may be one that was sent and did not arrive. */
    private void noteNeverTaken() {
        PageBitmap[] never = neverTaken;
        if (never == null) {
            never = new PageBitmap[dirty.length];
            for (int i = 0; i < dirty.length; i++) {
                never[i] = dirty[i].copy();
            }
            neverTaken = never;
            return;
        }
        for (int i = 0; i < dirty.length; i++) {
            for (int w = 0; w < dirty[i].wordCount(); w++) {
                never[i].setWord(w, never[i].word(w) & dirty[i].word(w));
            }
        }
    }

    /**
     * The first page of the block that the destination claims to have but that was never sent to it, or -1. Every page sent has lost its dirty bit, so a claim
     * to a page that was dirty all the time is false: that endpoint is not this migration's destination. A page that was sent and is dirty again since a recovery asked for it may
     * still have come: late, over a channel that was given up here.
     */
    public long firstFalseClaim(int block, PageBitmap received) {
        PageBitmap unsent = dirty[block];
        PageBitmap never = neverTaken == null ? unsent : neverTaken[block];
        for (int w = 0; w < unsent.wordCount(); w++) {
            long claim = unsent.word(w) & never.word(w) & received.word(w);
            if (claim != 0) {
                return ((long) w << 6) + Long.numberOfTrailingZeros(claim);
            }
        }
        return -1;
    }

    /** Pages still to be sent. */
    public long remaining() {
        return remaining;
    }

    /** Asks for a page before all others; one that is not dirty any more, or is asked for already, is dropped. True if it was queued. */
    public boolean request(int block, long page) {
        if (!dirty[block].get(page) || !wanted[block].set(page)) {
            return false;
        }
        if (urgentSize == urgent.length) {
            grow();
        }
        urgent[(urgentHead + urgentSize) % urgent.length] = address(block, page);
        urgentSize++;
        return true;
    }

    public boolean hasUrgent() {
        skipSentUrgent();
        return urgentSize > 0;
    }

    /** Takes the next urgent page, or {@link #NONE}; it is not dirty from then on, and the background goes on behind it. */
    public long takeUrgent() {
        skipSentUrgent();
        if (urgentSize == 0) {
            return NONE;
        }
        long address = popUrgent();
        int block = block(address);
        long page = page(address);
        dirty[block].clear(page);
        remaining--;
        cursorBlock = block;
        cursorPage = page + 1;
        return address;
    }

    /** Takes the next background page, or {@link #NONE} if no page is dirty. */
    public long takeBackground() {
        long address = nextBackground();
        if (address != NONE) {
            dirty[cursorBlock].clear(cursorPage);
            remaining--;
            cursorPage++;
        }
        return address;
    }

    /** What {@link #takeBackground} would take now. */
    public long nextBackground() {
        if (remaining == 0) {
            return NONE;
        }
        for (int turns = 0; turns <= dirty.length; turns++) {
            long page = dirty[cursorBlock].nextSet(cursorPage);
            if (page >= 0) {
                cursorPage = page;
                return address(cursorBlock, page);
            }
            cursorPage = 0;
            if (++cursorBlock == dirty.length) {
                cursorBlock = 0;
            }
        }
        throw new IllegalStateException(remaining + " pages are counted dirty and none is found");
    }

    /** How many pages {@link #takeBackground} would take one behind the other in one block, looking at {@code most} of them; {@link #nextBackground} was just asked. */
    public int backgroundRun(int most) {
        return dirty[cursorBlock].run(cursorPage, most);
    }

    /** Takes so many pages, of which {@link #backgroundRun} has told. */
    public void takeBackground(int count) {
        dirty[cursorBlock].clearRange(cursorPage, cursorPage + count);
        remaining -= count;
        cursorPage += count;
    }

    /** A page that was taken could not be sent: it is still to be, and comes last. */
    public void putBack(long address) {
        if (dirty[block(address)].set(page(address))) {
            remaining++;
        }
    }

    private void skipSentUrgent() {
        while (urgentSize > 0) {
            long address = urgent[urgentHead];
            if (dirty[block(address)].get(page(address))) {
                return;
            }
            popUrgent();
        }
    }

    private long popUrgent() {
        long address = urgent[urgentHead];
        urgentHead = (urgentHead + 1) % urgent.length;
        urgentSize--;
        wanted[block(address)].clear(page(address));
        return address;
    }

    private void forgetRequests() {
        while (urgentSize > 0) {
            popUrgent();
        }
    }

    private void grow() {
        long[] larger = new long[urgent.length * 2];
        for (int i = 0; i < urgentSize; i++) {
            larger[i] = urgent[(urgentHead + i) % urgent.length];
        }
        urgent = larger;
        urgentHead = 0;
    }
}
