// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.pump.Loan;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads pages of files that do not change, and compares each with its digest before it gives it.
 *
 * <p>Pages come in long runs, or, while a guest asks for them, from anywhere. So what lies behind a page is read ahead, twice as far each time it was asked for in order, and what was read
 * ahead of a run that ends was read for nothing. With an {@link StoreSource.Elsewhere} that happens on another thread, several runs at a time, and {@link #ready} tells whether a page is there
 * already: whoever asks first never waits for the disk in a long run. A page out of order is read at once, with a few of its neighbours.
 *
 * <p>One thread.
 */
final class PageReader {
    /** Runs that are read ahead at most: few are soon used up by a sender that is faster than the disk's thread for a moment. */
    private static final int DEPTH = 4;

    /** Runs that may be under way or waiting, those nobody wants any more among them. */
    private static final int MOST_ASKED = 2 * DEPTH;

    private final BlockFiles files;
    private final Presence presence;
    private final StoreSource.Elsewhere elsewhere;
    private final ReadAhead reach;
    /** Asked for elsewhere, in order, one behind the other. */
    private final ArrayDeque<PageRun> ahead = new ArrayDeque<>();

    private final ArrayDeque<PageRun> spare = new ArrayDeque<>();
    private final Consumer<PageRun> unused = spare::add;
    private PageRun current = new PageRun();
    private int block = -1;
    private long next;
    private int window;
    private int aheadPages;
    private int asked;
    /** Between two pages of what is read from now on. */
    private int gap = Loan.GAP;

    /** Pages that were read in order. */
    private long inOrder;

    /** Reads when it is asked. */
    PageReader(BlockFiles files, Presence presence) {
        this(files, presence, (work, _, _) -> work.run(), ReadAhead.NOT_ELSEWHERE);
    }

    /** Has long runs read elsewhere. */
    PageReader(BlockFiles files, Presence presence, StoreSource.Elsewhere elsewhere, ReadAhead reach) {
        this.files = files;
        this.presence = presence;
        this.elsewhere = elsewhere;
        this.reach = reach;
        this.window = reach.start();
    }

    /** False as long as the page is being read elsewhere, which ends by a call of {@code done} or {@code failed}. */
    boolean ready(int ofBlock, long page) {
        if (current.holds(ofBlock, page)) {
            return true;
        }
        PageRun run = upTo(ofBlock, page);
        return run == null || run.filled();
    }

    /**
     * The run that has the page, until the next call.
     *
     * @throws DamagedPageException if its bytes are not what was received
     */
    PageRun find(int ofBlock, long page) {
        if (!current.holds(ofBlock, page)) {
            PageRun run = upTo(ofBlock, page);
            if (run != null && run.filled()) {
                advance();
            } else {
                readNow(ofBlock, page);
            }
            askAhead();
        }
        if (!current.sound(page)) {
            // Whoever tries again may have put a good copy in its place.
            forget();
            throw new DamagedPageException(files.table().get(ofBlock).name(), page, files.ramPath(ofBlock));
        }
        return current;
    }

    /** How many pages from this one on are here and good, looking at {@code most} of them; 0 unless it lies in the run that {@link #find} gave last. */
    int atHand(int ofBlock, long page, int most) {
        return current.holds(ofBlock, page) ? current.soundFrom(page, most) : 0;
    }

    /** Lends pages that are {@link #atHand}, or null: so few are not worth it, or they lie in another manner, which those that are read next do not. */
    @Nullable
    Loan lend(int ofBlock, long page, int count, int withGap) {
        if (count < reach.lent()) {
            return null;
        }
        gap = withGap;
        PageRun run = find(ofBlock, page);
        return run.gap() == withGap ? run.lend(page, count, unused) : null;
    }

    /** The run ahead that has the page, or null: none does. Those before it are not wanted any more. */
    private @Nullable PageRun upTo(int ofBlock, long page) {
        PageRun run = ahead.peek();
        while (run != null && !run.holds(ofBlock, page)) {
            dropFirst();
            run = ahead.peek();
        }
        return run;
    }

    private void dropFirst() {
        PageRun run = ahead.remove();
        aheadPages -= run.count();
        if (run.filled()) {
            spare.add(run);
        } else {
            run.drop();
        }
    }

    private void forget() {
        while (!ahead.isEmpty()) {
            dropFirst();
        }
        current.clear();
        block = -1;
    }

    private void advance() {
        if (current.retire()) {
            spare.add(current);
        }
        current = ahead.remove();
        aheadPages -= current.count();
        window = Math.min(2 * window, DEPTH * PageRun.MOST);
    }

    private void readNow(int ofBlock, long page) {
        while (!ahead.isEmpty()) {
            dropFirst();
        }
        if (inOrder(ofBlock, page)) {
            window = Math.min(2 * window, reach.most());
        } else {
            window = page == 0 ? reach.most() : reach.start();
            inOrder = 0;
        }
        int pages = (int) Math.min(window, files.table().get(ofBlock).pages() - page);
        block = -1;
        if (!current.retire()) {
            current = spare();
        }
        current.begin(ofBlock, page, pages, gap);
        try {
            current.fill(files, presence.zero(ofBlock));
        } catch (StoreException e) {
            current.clear();
            throw e;
        }
        block = ofBlock;
        next = current.end();
        inOrder += pages;
    }

    /** Those between may have been sent already, if they are few, or be zero. */
    private boolean inOrder(int ofBlock, long page) {
        return ofBlock == block
                && page >= next
                && (page <= next + reach.most() || presence.zero(ofBlock).nextClear(next) == page);
    }

    private void askAhead() {
        long end = files.table().get(block).pages();
        while (inOrder >= reach.settled() && aheadPages < window && asked < MOST_ASKED) {
            long from = next < end ? presence.zero(block).nextClear(next) : -1;
            if (from < 0 || from >= end) {
                return;
            }
            PageRun run = spare();
            int pages = (int) Math.min(Math.min(PageRun.MOST, window - aheadPages), end - from);
            run.begin(block, from, pages, gap);
            ahead.add(run);
            aheadPages += pages;
            next = from + pages;
            ask(run, block);
        }
    }

    private PageRun spare() {
        PageRun run = spare.poll();
        return run == null ? new PageRun() : run;
    }

    private void ask(PageRun run, int ofBlock) {
        asked++;
        elsewhere.read(() -> run.fill(files, presence.zero(ofBlock)), () -> over(run), () -> {
            // Read again by whoever needs it, who then hears why it cannot be.
            if (!run.dropped()) {
                forget();
            }
            over(run);
        });
    }

    private void over(PageRun run) {
        asked--;
        if (run.dropped()) {
            spare.add(run);
        } else {
            run.arrived();
        }
    }
}
