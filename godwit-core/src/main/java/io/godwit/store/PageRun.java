// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.Loan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * Pages that are read at once, each compared with its digest. Whoever asks for it leaves it alone until it is filled; only {@link #drop} may be called meanwhile.
 *
 * <p>Some of them may be {@link #lend lent}: until the last of these has come back the bytes stay as they are, also when nobody needs them here any more.
 */
final class PageRun {
    /** Most pages: 1 MiB. */
    static final int MOST = 256;

    /** Pages read at once: 256 KiB, which stays in the processor's cache between reading and hashing. One bit of a long each. */
    private static final int PIECE = 64;

    private final ByteBuffer bytes = ByteBuffer.allocateDirect(MOST * (Loan.GAP + Pages.SIZE));
    /** The bytes of each page where before each is room for the header of its record. */
    private final ByteBuffer[] places = new ByteBuffer[MOST];

    /** Where one follows the other. */
    private final ByteBuffer together = bytes.duplicate();

    private int gap = Loan.GAP;

    private final PageDigest digest = new PageDigest(bytes);
    private final ByteBuffer digests =
            ByteBuffer.allocateDirect(PIECE * PageDigest.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int block = -1;
    private long first;
    private int count;
    /** A bit for each page that is what was received. */
    private final long[] sound = new long[MOST / PIECE];

    private boolean filled;
    private volatile boolean dropped;
    private int loans;
    private boolean retired;

    PageRun() {
        for (int i = 0; i < MOST; i++) {
            places[i] = bytes.slice(at(i), Pages.SIZE);
        }
    }

    private int at(int index) {
        return index * (gap + Pages.SIZE) + gap;
    }

    /**
     * It is to have these pages, and has none yet.
     *
     * @param before bytes before each: {@link Loan#GAP}, or 0
     */
    void begin(int ofBlock, long firstPage, int pages, int before) {
        gap = before;
        block = ofBlock;
        first = firstPage;
        count = pages;
        filled = false;
        dropped = false;
    }

    /** Nobody wants it any more: a {@link #fill} ends with the piece that it is at, or before it begins. Any thread. */
    void drop() {
        dropped = true;
    }

    boolean dropped() {
        return dropped;
    }

    /** {@link #fill} has been heard to be over. */
    void arrived() {
        filled = true;
    }

    boolean filled() {
        return filled;
    }

    /** It has, or will have, the page. */
    boolean holds(int ofBlock, long page) {
        return block == ofBlock && page >= first && page < first + count;
    }

    int count() {
        return count;
    }

    /** The first page behind it. */
    long end() {
        return first + count;
    }

    /** It has nothing. */
    void clear() {
        block = -1;
        count = 0;
    }

    /**
     * Reads and compares.
     *
     * @param zero the block's pages that are not on the disk
     */
    void fill(BlockFiles files, PageBitmap zero) {
        try {
            for (int from = 0; from < count && !dropped; from += PIECE) {
                sound[from / PIECE] = sound(files, zero, from, Math.min(PIECE, count - from));
            }
        } catch (DiskException e) {
            throw Failures.of(e);
        }
    }

    private long sound(BlockFiles files, PageBitmap zero, int from, int pages) throws DiskException {
        int there = read(files.ram(block), from, pages);
        int known = files.digests(block)
                .read(digests.clear().limit(pages * PageDigest.BYTES), (first + from) * PageDigest.BYTES);
        int whole = Math.min(there >> Pages.SHIFT, known / PageDigest.BYTES);
        long good = 0;
        for (int i = 0; i < whole; i++) {
            long page = first + from + i;
            if (!zero.get(page) && digests.getLong(i * PageDigest.BYTES) == digest.of(at(from + i), block, page)) {
                good |= 1L << i;
            }
        }
        return good;
    }

    private int read(DiskFile ram, int from, int pages) throws DiskException {
        long position = (first + from) << Pages.SHIFT;
        if (gap == 0) {
            return ram.read(together.clear().limit(at(from + pages)).position(at(from)), position);
        }
        for (int i = from; i < from + pages; i++) {
            places[i].clear();
        }
        return ram.read(places, from, pages, position);
    }

    /** Bytes before each page. */
    int gap() {
        return gap;
    }

    /** Whether a page that it has is what was received. */
    boolean sound(long page) {
        int at = (int) (page - first);
        return (sound[at / PIECE] >>> (at % PIECE) & 1) != 0;
    }

    /** How many pages from this one on are what was received, looking at {@code most} of them. */
    int soundFrom(long page, int most) {
        int from = (int) (page - first);
        int end = Math.min(count, from + most);
        int at = from;
        while (at < end && (sound[at / PIECE] >>> (at % PIECE) & 1) != 0) {
            at++;
        }
        return at - from;
    }

    /** Appends a page that it has. */
    void copy(long page, ByteBuffer out) {
        int at = at((int) (page - first));
        out.put(out.position(), bytes, at, Pages.SIZE).position(out.position() + Pages.SIZE);
    }

    /**
     * Lends pages that it has, any of them any number of times: what a borrower writes between them, in the run itself, is the same each time.
     *
     * @param unused hears of it if this was {@link #retire retired} and nothing of it is lent any more
     */
    Loan lend(long page, int pages, Consumer<PageRun> unused) {
        loans++;
        int from = (int) (page - first);
        ByteBuffer lent = bytes.duplicate()
                .clear()
                .limit(at(from + pages - 1) + Pages.SIZE)
                .position(at(from));
        return new Loan(lent, () -> {
            loans--;
            if (retired && loans == 0) {
                retired = false;
                unused.accept(this);
            }
        });
    }

    /** Nobody needs it here any more. False: some of it is lent, so it must not be filled yet. */
    boolean retire() {
        retired = loans > 0;
        return !retired;
    }
}
