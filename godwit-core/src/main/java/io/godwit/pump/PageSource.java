// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a source sends. Called on the migration's loop only, while the guest may be writing: what is read may be torn, and
 * then the guest's dirty mark brings the page again.
 */
public interface PageSource {
    BlockTable blocks();

    /** Begins (or ends) the collection of dirty marks. Beginning again forgets earlier marks. */
    void trackDirty(boolean on);

    /** Moves the block's dirty marks since the last call into {@code dirty} (adds bits, clears none). Returns how many bits were added. */
    long harvestDirty(int block, PageBitmap dirty);

    /**
     * Whether the page holds only zero bytes.
     *
     * @throws StorageException as {@link #read}
     */
    boolean isZero(int block, long page);

    /**
     * Whether {@link #read} gives the page without a long wait for a disk. If not, it is being read, and the loop is woken when that is over. Memory that is at hand always
     * is.
     */
    default boolean ready(int block, long page) {
        return true;
    }

    /**
     * Appends the page's {@link io.godwit.page.Pages#SIZE} bytes to {@code out}, which has room for them.
     *
     * @throws StorageException if the page cannot be read or is damaged: it is not sent, and the migration stops with the sentence
     */
    void read(int block, long page, ByteBuffer out);

    /**
     * How many neighbours from this page on {@link #read(int, long, int, ByteBuffer, int)} gives at once, looking at {@code most} of them: each has data that are at hand and not all
     * zero. 0 where pages are to be asked for one by one.
     */
    default int atHand(int block, long first, int most) {
        return 0;
    }

    /**
     * Lends neighbours that are {@link #atHand}, one at least, instead of {@link #read(int, long, int, ByteBuffer, int) giving} them; null: they are to be read.
     *
     * @param gap bytes between two of them, {@link Loan#GAP} or 0; a source may have only one of both, the one that was asked for last
     */
    default @Nullable Loan lend(int block, long first, int count, int gap) {
        return null;
    }

    /**
     * Appends neighbours that are {@link #atHand}, each behind {@code gap} bytes that are the caller's and stay as they are. Throws nothing: whatever may be wrong
     * with a page has been looked at before it is at hand.
     */
    default void read(int block, long first, int count, ByteBuffer out, int gap) {
        for (int i = 0; i < count; i++) {
            read(block, first + i, out.position(out.position() + gap));
        }
    }
}
