// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.MissingPages;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** One side's RAM over byte arrays. A page's number counts through all blocks. */
final class SimMemory implements PageSource, PageSink, MissingPages {
    private final BlockTable blocks;
    private final int[] first;
    private final byte[][] bytes;
    private final PageBitmap[] received;
    private final PageBitmap[] dirty;
    private final BitSet outstanding = new BitSet();
    private final BitSet fresh = new BitSet();
    private IntConsumer onPlaced = page -> {};
    private boolean tracking;
    private boolean postcopy;

    SimMemory(BlockTable blocks) {
        this.blocks = blocks;
        this.first = new int[blocks.size()];
        this.bytes = new byte[blocks.size()][];
        this.received = new PageBitmap[blocks.size()];
        this.dirty = new PageBitmap[blocks.size()];
        int page = 0;
        for (int i = 0; i < blocks.size(); i++) {
            first[i] = page;
            page += (int) blocks.get(i).pages();
            bytes[i] = new byte[(int) blocks.get(i).usedLength()];
            received[i] = new PageBitmap(blocks.get(i).pages());
            dirty[i] = new PageBitmap(blocks.get(i).pages());
        }
    }

    /** Is told of every page placed in postcopy. */
    void onPlaced(IntConsumer listener) {
        onPlaced = listener;
    }

    int number(int block, long page) {
        return first[block] + (int) page;
    }

    int block(int number) {
        int block = first.length - 1;
        while (first[block] > number) {
            block--;
        }
        return block;
    }

    String name(int number) {
        int block = block(number);
        return "page " + (number - first[block]) + " of " + blocks.get(block).name();
    }

    /** The page's number in its block. */
    int index(int number) {
        return number - first[block(number)];
    }

    byte[] array(int number) {
        return bytes[block(number)];
    }

    int offset(int number) {
        return (number - first[block(number)]) << Pages.SHIFT;
    }

    /** Whether the page is here: only in postcopy one can be missing. */
    boolean present(int number) {
        int block = block(number);
        return received[block].get(number - first[block]);
    }

    long receivedPages() {
        long n = 0;
        for (PageBitmap bitmap : received) {
            n += bitmap.cardinality();
        }
        return n;
    }

    boolean postcopy() {
        return postcopy;
    }

    /** The guest has written the page. */
    void touched(int number) {
        if (tracking) {
            int block = block(number);
            dirty[block].set(number - first[block]);
        }
    }

    /** The guest lacks the page. True if nobody has waited for it yet. */
    boolean want(int number) {
        boolean news = !outstanding.get(number);
        outstanding.set(number);
        if (news) {
            fresh.set(number);
        }
        return news;
    }

    @Override
    public BlockTable blocks() {
        return blocks;
    }

    @Override
    public void trackDirty(boolean on) {
        tracking = on;
        for (PageBitmap bitmap : dirty) {
            bitmap.clearAll();
        }
    }

    @Override
    public long harvestDirty(int block, PageBitmap into) {
        long added = 0;
        for (long page = dirty[block].nextSet(0); page >= 0; page = dirty[block].nextSet(page + 1)) {
            added += into.set(page) ? 1 : 0;
            dirty[block].clear(page);
        }
        return added;
    }

    @Override
    public boolean isZero(int block, long page) {
        byte[] memory = bytes[block];
        for (int i = (int) page << Pages.SHIFT, end = i + Pages.SIZE; i < end; i++) {
            if (memory[i] != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        out.put(bytes[block], (int) page << Pages.SHIFT, Pages.SIZE);
    }

    @Override
    public PageBitmap received(int block) {
        return received[block];
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        requirePrecopy("a page stored");
        in.get(position, bytes[block], (int) page << Pages.SHIFT, Pages.SIZE);
        received[block].set(page);
    }

    @Override
    public void storeZero(int block, long page) {
        requirePrecopy("a page stored");
        clear(block, page);
        received[block].set(page);
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        requirePrecopy("pages discarded");
        for (long page = firstPage; page < firstPage + count; page++) {
            clear(block, page);
        }
        received[block].clearRange(firstPage, firstPage + count);
    }

    @Override
    public void beginPostcopy() {
        requirePrecopy("postcopy begun");
        postcopy = true;
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        if (received[block].get(page)) {
            return false;
        }
        in.get(position, bytes[block], (int) page << Pages.SHIFT, Pages.SIZE);
        placed(block, page);
        return true;
    }

    @Override
    public boolean placeZero(int block, long page) {
        if (received[block].get(page)) {
            return false;
        }
        clear(block, page);
        placed(block, page);
        return true;
    }

    private void placed(int block, long page) {
        received[block].set(page);
        int number = number(block, page);
        outstanding.clear(number);
        fresh.clear(number);
        onPlaced.accept(number);
    }

    @Override
    public void reset() {
        for (int i = 0; i < bytes.length; i++) {
            discard(i, 0, received[i].pages());
        }
    }

    /** A page that a disk has, or has not. */
    void take(int number, boolean here, Truth truth) {
        int block = block(number);
        if (here) {
            truth.fill(number, bytes[block], offset(number));
            received[block].set(index(number));
        } else {
            clear(block, index(number));
            received[block].clear(index(number));
        }
    }

    /** Another process begins with it: nothing of what was there counts. */
    void begin() {
        postcopy = false;
        reset();
    }

    /** Postcopy: pages that are not among these are not received any more. */
    void keepOnly(@Nullable PageBitmap[] sure) {
        for (int block = 0; block < received.length; block++) {
            PageBitmap kept = sure[block];
            for (long page = received[block].nextSet(0); page >= 0; page = received[block].nextSet(page + 1)) {
                if (kept == null || !kept.get(page)) {
                    received[block].clear(page);
                    clear(block, page);
                }
            }
        }
    }

    private void clear(int block, long page) {
        int at = (int) page << Pages.SHIFT;
        Arrays.fill(bytes[block], at, at + Pages.SIZE, (byte) 0);
    }

    private void requirePrecopy(String what) {
        if (postcopy) {
            throw new Violation(what + " after postcopy had begun");
        }
    }

    @Override
    public void drain(Visitor visitor) {
        for (int page = fresh.nextSetBit(0); page >= 0; page = fresh.nextSetBit(page + 1)) {
            fresh.clear(page);
            int block = block(page);
            visitor.page(block, page - first[block]);
        }
    }

    @Override
    public void reissue() {
        fresh.or(outstanding);
    }

    @Override
    public long outstanding() {
        return outstanding.cardinality();
    }
}
