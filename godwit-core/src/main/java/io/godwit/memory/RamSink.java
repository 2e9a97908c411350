// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import io.godwit.sys.SystemCallException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The side of the memory that a destination fills. Before {@link #beginPostcopy} on one thread; after it {@link #place} and {@link #placeZero} on any
 * number of threads.
 *
 * <p>A page that was not received holds zeroes: new memory does, and discarding restores it. So a zero page that was never touched costs a bit and no memory.
 */
final class RamSink implements PageSink {
    /**
     * Shorter runs keep their old bytes: what is not received is read by nobody, and a system call per page, or filling it with zeroes, would lengthen the
     * blackout, in which all discards fall (guide: 2.3 µs for a punched hole of one page).
     */
    private static final long SYSCALL_PAGES = 16;

    private final BlockTable table;
    private final RamBlock[] blocks;
    private final PageRequests requests;
    private final Waiters waiters;
    private final LongAdder duplicates = new LongAdder();
    private final AtomicLong missing = new AtomicLong();

    /** Pages that somebody places or has placed; null before postcopy. */
    private volatile PageBitmap @Nullable [] claimed;

    RamSink(BlockTable table, RamBlock[] blocks, PageRequests requests, Waiters waiters) {
        this.table = table;
        this.blocks = blocks;
        this.requests = requests;
        this.waiters = waiters;
    }

    @Override
    public BlockTable blocks() {
        return table;
    }

    @Override
    public PageBitmap received(int block) {
        return blocks[block].received();
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        requirePrecopy("store a page unasked");
        RamBlock ram = blocks[block];
        check(ram, page, 1);
        fill(ram, page, in, position);
        publish(ram, page);
    }

    @Override
    public void storeZero(int block, long page) {
        requirePrecopy("store a page unasked");
        RamBlock ram = blocks[block];
        check(ram, page, 1);
        fillZero(ram, page);
        publish(ram, page);
    }

    /** A zero page that was never touched is read without touching it: that would make memory of it. */
    @Override
    public void read(int block, long page, ByteBuffer out) {
        requirePrecopy("read a page back");
        RamBlock ram = blocks[block];
        check(ram, page, 1);
        if (ram.cards().untouched(page)) {
            BlockWindows.readZeroes(out);
        } else {
            ram.windows().read(page << Pages.SHIFT, out, Pages.SIZE);
        }
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        requirePrecopy("discard pages");
        RamBlock ram = blocks[block];
        check(ram, firstPage, count);
        ram.received().clearRange(firstPage, firstPage + count);
        if (count >= SYSCALL_PAGES) {
            giveBack(ram, firstPage, count);
        }
    }

    private static void giveBack(RamBlock ram, long firstPage, long count) {
        try {
            ram.mapped().discard(firstPage << Pages.SHIFT, count << Pages.SHIFT);
        } catch (SystemCallException e) {
            throw new UncheckedIOException(e);
        }
        ram.cards().untouch(firstPage, firstPage + count);
    }

    @Override
    public void beginPostcopy() {
        requirePrecopy("begin postcopy");
        PageBitmap[] claims = new PageBitmap[blocks.length];
        long absent = 0;
        for (int i = 0; i < blocks.length; i++) {
            claims[i] = blocks[i].received().copy();
            absent += blocks[i].pages() - claims[i].cardinality();
        }
        missing.set(absent);
        claimed = claims;
        for (RamBlock block : blocks) {
            block.waitForMissing(absent != 0);
        }
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        if (!claim(block, page)) {
            return false;
        }
        fill(blocks[block], page, in, position);
        publishPlaced(block, page);
        return true;
    }

    @Override
    public boolean placeZero(int block, long page) {
        if (!claim(block, page)) {
            return false;
        }
        fillZero(blocks[block], page);
        publishPlaced(block, page);
        return true;
    }

    @Override
    public void reset() {
        requirePrecopy("forget what was received");
        for (int i = 0; i < blocks.length; i++) {
            blocks[i].received().clearAll();
            giveBack(blocks[i], 0, blocks[i].pages());
        }
    }

    /** Pages that came again and were dropped. */
    long duplicates() {
        return duplicates.sum();
    }

    /** Pages not there yet; 0 before postcopy. */
    long missing() {
        return missing.get();
    }

    boolean isPostcopy() {
        return claimed != null;
    }

    private boolean claim(int block, long page) {
        PageBitmap[] claims = claimed;
        if (claims == null) {
            throw new IllegalStateException("a page can be placed only after postcopy has begun");
        }
        if (claims[block].set(page)) {
            return true;
        }
        duplicates.increment();
        return false;
    }

    private void fill(RamBlock ram, long page, ByteBuffer in, int position) {
        // Before the store: it is all the same to whoever asks whether the page was touched, and saves the fault.
        if (ram.cards().touch(page)) {
            ram.firstTouch().before(page);
        }
        ram.windows().write(page << Pages.SHIFT, in, position, Pages.SIZE);
    }

    private void fillZero(RamBlock ram, long page) {
        if (!ram.cards().untouched(page)) {
            ram.windows().zeroPage(page);
        }
    }

    private static void publish(RamBlock ram, long page) {
        if (!ram.received().get(page)) {
            ram.received().set(page);
        }
    }

    /** The page's bytes are in place: first its bit, with release, then the end of its request, then whoever waits. */
    private void publishPlaced(int block, long page) {
        blocks[block].received().set(page);
        waiters.published(block, page);
        requests.arrived(block, page);
        if (missing.decrementAndGet() == 0) {
            for (RamBlock ram : blocks) {
                ram.waitForMissing(false);
            }
        }
    }

    private void requirePrecopy(String what) {
        if (claimed != null) {
            throw new IllegalStateException(
                    "cannot " + what + ": postcopy has begun, and the pages that are there belong to the guest");
        }
    }

    private static void check(RamBlock ram, long firstPage, long count) {
        Objects.checkFromIndexSize(firstPage, count, ram.pages());
    }
}
