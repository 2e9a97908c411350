// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads pages of files that do not change, and compares each with its digest before it gives it. Reads ahead when asked in order, further each time: pages come in long runs, or, while a
 * guest asks for them, in short ones from anywhere, and what was read ahead of a run that ends was read for nothing. One thread.
 */
final class PageReader {
    /** Most pages read at once: 256 KiB, which stays in the processor's cache between reading, hashing and copying. */
    private static final int RUN = 64;

    /** Pages read at once where a run begins. */
    private static final int START = 4;

    /** Digests read at once: a page's worth. A power of two. */
    private static final int DIGESTS = Pages.SIZE / PageDigest.BYTES;

    private final BlockFiles files;
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(RUN * Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer digests =
            ByteBuffer.allocateDirect(DIGESTS * PageDigest.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int block = -1;
    private long first;
    private int count;
    private int ahead = START;
    private int digestBlock = -1;
    private long firstDigest;

    PageReader(BlockFiles files) {
        this.files = files;
    }

    /** The buffer that {@link #find} means. */
    ByteBuffer buffer() {
        return bytes;
    }

    /**
     * Where in the buffer the page's bytes are, until the next call.
     *
     * @throws DamagedPageException if they are not what was received
     */
    int find(int ofBlock, long page) {
        if (ofBlock != block || page < first || page >= first + count) {
            load(ofBlock, page, run(ofBlock, page));
        }
        if (ofBlock != digestBlock || page < firstDigest || page >= firstDigest + DIGESTS) {
            loadDigests(ofBlock, page);
        }
        int at = (int) (page - first) << Pages.SHIFT;
        int digest = (int) (page - firstDigest) * PageDigest.BYTES;
        if (at + Pages.SIZE > bytes.limit()
                || digest + PageDigest.BYTES > digests.limit()
                || digests.getLong(digest) != PageDigest.of(bytes, at, ofBlock, page)) {
            throw new DamagedPageException(files.table().get(ofBlock).name(), page, files.ramPath(ofBlock));
        }
        return at;
    }

    /**
     * How many pages to read: a page soon behind the last run is asked for in order, since zero pages lie between; any other is a request, whose neighbours may be wanted next or never.
     */
    private int run(int ofBlock, long page) {
        int pages;
        if (page == 0) {
            ahead = RUN;
            pages = RUN;
        } else if (ofBlock == block && page >= first + count && page <= first + count + RUN) {
            pages = ahead;
            ahead = Math.min(RUN, 2 * ahead);
        } else {
            ahead = START;
            pages = 1;
        }
        return (int) Math.min(pages, files.table().get(ofBlock).pages() - page);
    }

    private void load(int ofBlock, long page, int pages) {
        count = 0;
        try {
            bytes.clear().limit(pages << Pages.SHIFT);
            bytes.limit(files.ram(ofBlock).read(bytes, page << Pages.SHIFT));
        } catch (DiskException e) {
            throw Failures.of(e);
        }
        block = ofBlock;
        first = page;
        count = pages;
    }

    private void loadDigests(int ofBlock, long page) {
        digestBlock = -1;
        long from = page & -DIGESTS;
        try {
            digests.limit(files.digests(ofBlock).read(digests.clear(), from * PageDigest.BYTES));
        } catch (DiskException e) {
            throw Failures.of(e);
        }
        digestBlock = ofBlock;
        firstDigest = from;
    }
}
