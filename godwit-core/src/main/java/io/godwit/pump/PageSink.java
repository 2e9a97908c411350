// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.nio.ByteBuffer;

/**
 * The memory that a destination fills. A page is received once it is whole and in place; its bit in {@link #received} is published after its
 * bytes. Before {@link #beginPostcopy} a page may be overwritten as often as it comes; from then on a present page is never touched again.
 *
 * <p>A memory that is kept in files throws a {@link StorageException} where its disk fails; a page that was on its way is then not received, and not claimed either.
 */
public interface PageSink {
    BlockTable blocks();

    /** The live received bitmap of the block; only this sink changes it. */
    PageBitmap received(int block);

    /**
     * Precopy: stores 4096 bytes from {@code in} at the absolute {@code position} (the buffer's own position does not move) and marks the page
     * received. Later ones win.
     */
    void store(int block, long page, ByteBuffer in, int position);

    /**
     * Precopy: as {@link #store(int, long, ByteBuffer, int)}, of neighbours. If it throws, some may have been stored, from the first one on; the others may
     * be received no more, whatever was there before.
     *
     * @param count of them, at least 1
     * @param stride from one page's bytes to the next one's
     */
    default void store(int block, long first, int count, ByteBuffer in, int position, int stride) {
        for (int i = 0; i < count; i++) {
            store(block, first + i, in, position + i * stride);
        }
    }

    /** Precopy: as {@link #store(int, long, ByteBuffer, int)}, with zero bytes. */
    void storeZero(int block, long page);

    /** Precopy: appends the 4096 bytes that the page has now, which a difference changes. Only of a received page. */
    void read(int block, long page, ByteBuffer out);

    /** The pages are not received any more; what they held may be dropped: {@code spec/stream.md §6.3}. Only before {@link #beginPostcopy}. */
    void discard(int block, long firstPage, long count);

    /** From here on the guest waits for pages that are not received, and present pages are never overwritten. */
    void beginPostcopy();

    /**
     * Postcopy: claims the page, stores it, publishes it and wakes who waits for it.
     *
     * @return false if the page was there already: nothing was changed
     */
    boolean place(int block, long page, ByteBuffer in, int position);

    /** Postcopy: as {@link #place}, with zero bytes. */
    boolean placeZero(int block, long page);

    /** Precopy has failed or begins anew: forgets everything received. Only before {@link #beginPostcopy}. */
    void reset();
}
