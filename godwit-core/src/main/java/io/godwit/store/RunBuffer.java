// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Neighbouring pages that are written together, with their digests: one system call for up to 1 MiB. Used under the sink's lock. */
final class RunBuffer {
    /** Most pages in a run. */
    static final int PAGES = 256;

    private static final ByteBuffer ZEROES = ByteBuffer.allocateDirect(Pages.SIZE);

    private final ByteBuffer bytes =
            ByteBuffer.allocateDirect(PAGES * Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer digests =
            ByteBuffer.allocateDirect(PAGES * PageDigest.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int block;
    private long first;
    private int count;

    boolean isEmpty() {
        return count == 0;
    }

    /** Whether {@link #add} may be called for that page; else the run is to be written first. */
    boolean takes(int toBlock, long page) {
        return count == 0 || (count < PAGES && toBlock == block && page == first + count);
    }

    /** Whether the page's bytes are here and not in its file yet. */
    boolean holds(int ofBlock, long page) {
        return ofBlock == block && page >= first && page < first + count;
    }

    void add(int toBlock, long page, ByteBuffer in, int position) {
        if (count == 0) {
            block = toBlock;
            first = page;
        }
        int at = count << Pages.SHIFT;
        bytes.put(at, in, position, Pages.SIZE);
        digests.putLong(count * PageDigest.BYTES, PageDigest.of(bytes, at, toBlock, page));
        count++;
    }

    void addZero(int toBlock, long page) {
        add(toBlock, page, ZEROES, 0);
    }

    /** Appends a page of zeroes. */
    static void putZeroes(ByteBuffer out) {
        out.put(out.position(), ZEROES, 0, Pages.SIZE).position(out.position() + Pages.SIZE);
    }

    /** Writes the run and empties it; after a failure it is as full as before and may be written again. */
    void write(BlockFiles files) throws DiskException {
        try {
            files.ram(block).write(bytes.position(0).limit(count << Pages.SHIFT), first << Pages.SHIFT);
            files.digests(block).write(digests.position(0).limit(count * PageDigest.BYTES), first * PageDigest.BYTES);
        } finally {
            bytes.clear();
            digests.clear();
        }
        count = 0;
    }

    void drop() {
        count = 0;
    }
}
