// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The missing pages that somebody waits for. A set: it never holds more than one entry per page, adding never waits, and a page asked for by ten
 * threads is reported once. Thread-safe; {@link #drain}, {@link #reissue} and {@link #wakeWith} belong to one thread, the loop.
 *
 * <p>An entry is <em>fresh</em> until drained and <em>outstanding</em> until its page is there.
 */
public final class PageRequests {
    private final Entry[] entries;
    private final AtomicLong outstanding = new AtomicLong();
    private final AtomicBoolean woken = new AtomicBoolean();
    private volatile Runnable wake = () -> {};

    /** One block's bits. {@code freshWords} has a bit for each word of {@code fresh} that may hold one: a drain need not scan the block. */
    private record Entry(PageBitmap received, PageBitmap outstanding, PageBitmap fresh, PageBitmap freshWords) {
        static Entry of(PageBitmap received) {
            long pages = received.pages();
            return new Entry(
                    received, new PageBitmap(pages), new PageBitmap(pages), new PageBitmap((pages + 63) >>> 6));
        }

        void markFresh(long page) {
            fresh.set(page);
            freshWords.set(page >>> 6);
        }
    }

    PageRequests(BlockTable blocks, PageBitmap[] received) {
        entries = new Entry[blocks.size()];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = Entry.of(received[i]);
        }
    }

    /**
     * Installs what wakes the loop: called on any thread when there is something to drain, at most once until the next {@link #drain}. It must not
     * block. Called at once if something is waiting already.
     */
    public void wakeWith(Runnable callback) {
        wake = callback;
        if (woken.get()) {
            callback.run();
        }
    }

    /** Asks for a page, unless it is there or has been asked for. Any thread. */
    public void add(int block, long page) {
        Entry entry = entries[block];
        if (entry.received.get(page) || !entry.outstanding.set(page)) {
            return;
        }
        outstanding.incrementAndGet();
        entry.markFresh(page);
        // The page may have come between the look and the entry; then whoever clears the bit counts it out, here or in
        // arrived().
        VarHandle.fullFence();
        if (entry.received.get(page)) {
            arrived(block, page);
            return;
        }
        wakeOnce();
    }

    /** Takes the page out of the set; called after its received bit was set. */
    void arrived(int block, long page) {
        Entry entry = entries[block];
        if (entry.outstanding.get(page) && entry.outstanding.clear(page)) {
            outstanding.decrementAndGet();
        }
    }

    /**
     * Reports each fresh entry once, by block and page ascending, skipping those whose page has come.
     *
     * @return how many were reported
     */
    public long drain(PageVisitor visitor) {
        // Before the look: what is added behind its back wakes again.
        woken.set(false);
        long reported = 0;
        for (int block = 0; block < entries.length; block++) {
            PageBitmap words = entries[block].freshWords;
            for (long word = words.nextSet(0); word >= 0; word = words.nextSet(word + 1)) {
                words.clear(word);
                reported += drainWord(block, (int) word, visitor);
            }
        }
        return reported;
    }

    private long drainWord(int block, int word, PageVisitor visitor) {
        Entry entry = entries[block];
        long reported = 0;
        for (long bits = entry.fresh.word(word); bits != 0; bits &= bits - 1) {
            long page = ((long) word << 6) + Long.numberOfTrailingZeros(bits);
            if (entry.fresh.clear(page) && entry.outstanding.get(page)) {
                visitor.page(block, page);
                reported++;
            }
        }
        return reported;
    }

    /** After a recovery: makes every outstanding entry fresh again, since requests sent on the lost channel are lost, and wakes the loop. */
    public void reissue() {
        forEachOutstanding((block, page) -> entries[block].markFresh(page));
        if (outstanding.get() != 0) {
            wakeOnce();
        }
    }

    /** How many pages are asked for and not there. */
    public long outstanding() {
        return outstanding.get();
    }

    /** Visits the outstanding entries, by block and page ascending, and changes nothing. Any thread. */
    public void forEachOutstanding(PageVisitor visitor) {
        for (int block = 0; block < entries.length; block++) {
            PageBitmap bits = entries[block].outstanding;
            for (long page = bits.nextSet(0); page >= 0; page = bits.nextSet(page + 1)) {
                visitor.page(block, page);
            }
        }
    }

    private void wakeOnce() {
        if (woken.compareAndSet(false, true)) {
            wake.run();
        }
    }
}
