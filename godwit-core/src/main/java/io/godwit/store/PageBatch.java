// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Pages in the order in which they came, on their way to their files: neighbours are written together, with their digests. Changed by one thread at a time; while one writes it, others may ask what it {@link #holds}. */
final class PageBatch {
    private static final ByteBuffer ZEROES = ByteBuffer.allocateDirect(Pages.SIZE);

    private final ByteBuffer bytes;
    private final PageDigest digest;
    private final ByteBuffer digests;
    private final int[] blocks;
    private final long[] pages;
    private int count;

    /** @param most pages at most, of 4 KiB each */
    PageBatch(int most) {
        bytes = ByteBuffer.allocateDirect(most * Pages.SIZE);
        digest = new PageDigest(bytes);
        digests = ByteBuffer.allocateDirect(most * PageDigest.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        blocks = new int[most];
        pages = new long[most];
    }

    boolean isFull() {
        return count == pages.length;
    }

    boolean holds(int block, long page) {
        for (int i = 0; i < count; i++) {
            if (pages[i] == page && blocks[i] == block) {
                return true;
            }
        }
        return false;
    }

    /** Takes a copy of the page; not to be called when this is full. */
    void add(int block, long page, ByteBuffer in, int position) {
        bytes.put(count << Pages.SHIFT, in, position, Pages.SIZE);
        blocks[count] = block;
        pages[count] = page;
        count++;
    }

    /**
     * Takes copies of neighbours, as many as there is room for.
     *
     * @param stride from one page's bytes to the next one's
     * @return how many
     */
    int add(int block, long first, int most, ByteBuffer in, int position, int stride) {
        int n = Math.min(most, pages.length - count);
        for (int i = 0; i < n; i++) {
            add(block, first + i, in, position + i * stride);
        }
        return n;
    }

    void addZero(int block, long page) {
        add(block, page, ZEROES, 0);
    }

    /** Appends a page of zeroes. */
    static void putZeroes(ByteBuffer out) {
        out.put(out.position(), ZEROES, 0, Pages.SIZE).position(out.position() + Pages.SIZE);
    }

    /** Writes the pages, the older one of the same page first. They are all here as before, and may be written again if that failed. */
    void write(BlockFiles files) throws DiskException {
        for (int i = 0; i < count; i++) {
            digests.putLong(i * PageDigest.BYTES, digest.of(i << Pages.SHIFT, blocks[i], pages[i]));
        }
        try {
            int end;
            for (int first = 0; first < count; first = end) {
                end = first + 1;
                while (end < count && blocks[end] == blocks[first] && pages[end] == pages[end - 1] + 1) {
                    end++;
                }
                write(files, first, end);
            }
        } finally {
            bytes.clear();
            digests.clear();
        }
    }

    private void write(BlockFiles files, int first, int end) throws DiskException {
        files.ram(blocks[first])
                .write(bytes.limit(end << Pages.SHIFT).position(first << Pages.SHIFT), pages[first] << Pages.SHIFT);
        files.digests(blocks[first])
                .write(
                        digests.limit(end * PageDigest.BYTES).position(first * PageDigest.BYTES),
                        pages[first] * PageDigest.BYTES);
    }

    /** Forgets the pages. */
    void clear() {
        count = 0;
    }
}
