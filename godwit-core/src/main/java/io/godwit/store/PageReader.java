// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads pages of files that do not change, and compares each with its digest before it gives it. Reads ahead when asked in order. One thread. */
final class PageReader {
    /** Pages read at once: 256 KiB, which stays in the processor's cache between reading, hashing and copying. */
    private static final int RUN = 64;

    private final BlockFiles files;
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(RUN * Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer digests =
            ByteBuffer.allocateDirect(RUN * PageDigest.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int block = -1;
    private long first;
    private int count;

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
            // A page soon behind the last run is asked for in order; zero pages lie between. Any other is a request,
            // and has no neighbours.
            boolean inOrder = page == 0 || (ofBlock == block && page >= first + count && page <= first + count + RUN);
            long rest = files.table().get(ofBlock).pages() - page;
            load(ofBlock, page, (int) Math.min(inOrder ? RUN : 1, rest));
        }
        int index = (int) (page - first);
        int at = index << Pages.SHIFT;
        if (at + Pages.SIZE > bytes.limit()
                || (index + 1) * PageDigest.BYTES > digests.limit()
                || digests.getLong(index * PageDigest.BYTES) != PageDigest.of(bytes, at, ofBlock, page)) {
            throw new DamagedPageException(files.table().get(ofBlock).name(), page, files.ramPath(ofBlock));
        }
        return at;
    }

    private void load(int ofBlock, long page, int pages) {
        count = 0;
        try {
            bytes.clear().limit(pages << Pages.SHIFT);
            bytes.limit(files.ram(ofBlock).read(bytes, page << Pages.SHIFT));
            digests.clear().limit(pages * PageDigest.BYTES);
            digests.limit(files.digests(ofBlock).read(digests, page * PageDigest.BYTES));
        } catch (DiskException e) {
            throw Failures.of(e);
        }
        block = ofBlock;
        first = page;
        count = pages;
    }
}
