// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import io.godwit.page.Pages;
import io.godwit.sys.XxHashLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The digests of pages in one buffer: XXH64 with the page's block and index as seed, so that a good page in another page's place is noticed, too. By libxxhash if it is there, else by
 * our own code over an array of words, which any of Java's compilers makes a good loop of; over the buffer itself only the last one does. One thread at a time. Allocates nothing per page.
 */
final class PageDigest {
    /** Bytes of a digest in its file. */
    static final int BYTES = Long.BYTES;

    private static final int BLOCK_SHIFT = 40;
    private static final int WORDS = Pages.SIZE / Long.BYTES;

    private final @Nullable XxHashLibrary library;
    private final LongBuffer longs;
    private final long[] words;

    /** @param bytes direct, at a multiple of 8 */
    PageDigest(ByteBuffer bytes) {
        this(bytes, XxHashLibrary.over(bytes));
    }

    PageDigest(ByteBuffer bytes, @Nullable XxHashLibrary library) {
        this.library = library;
        this.longs = bytes.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
        this.words = new long[library == null ? WORDS : 0];
    }

    /** @param offset of the page in the buffer, a multiple of 8 */
    long of(int offset, int block, long page) {
        long seed = (long) block << BLOCK_SHIFT | page;
        if (library != null) {
            return library.hash(offset, Pages.SIZE, seed);
        }
        longs.get(offset / Long.BYTES, words);
        return XxHash64.hash(words, 0, WORDS, seed);
    }
}
