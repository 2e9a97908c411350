// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What the one guest has really done: how often it wrote each page, and how far each of its writers is. A page's content follows from where it is
 * and how often it was written, so a lost, stale, misplaced or overwritten page is told apart from the right one. Now and then a guest writes zeroes.
 */
final class Truth {
    private static final VarHandle WORDS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int ZERO_EVERY = 5;

    private final long[] versions;
    private final long[] writers;

    Truth(BlockTable blocks, int writers) {
        this.versions = new long[(int) blocks.totalPages()];
        this.writers = new long[writers];
    }

    int pages() {
        return versions.length;
    }

    long version(int page) {
        return versions[page];
    }

    /** The guest writes the page anew. */
    void write(int page, byte[] memory, int offset) {
        versions[page]++;
        fill(page, memory, offset);
    }

    /** The page as it is by rights. */
    void fill(int page, byte[] memory, int offset) {
        long word = stamp(page);
        for (int i = 0; i < Pages.SIZE; i += Long.BYTES) {
            WORDS.set(memory, offset + i, word);
        }
    }

    /** Whether the page has its right content, all of it. */
    boolean matches(int page, byte[] memory, int offset) {
        long word = stamp(page);
        for (int i = 0; i < Pages.SIZE; i += Long.BYTES) {
            if ((long) WORDS.get(memory, offset + i) != word) {
                return false;
            }
        }
        return true;
    }

    /** A quick look at the page's first and last word. */
    boolean looksRight(int page, byte[] memory, int offset) {
        long word = stamp(page);
        return (long) WORDS.get(memory, offset) == word
                && (long) WORDS.get(memory, offset + Pages.SIZE - Long.BYTES) == word;
    }

    private long stamp(int page) {
        long version = versions[page];
        return version % ZERO_EVERY == 0 ? 0 : (version << 24 | (page + 1L)) * 0x9e3779b97f4a7c15L;
    }

    int writers() {
        return writers.length;
    }

    long steps(int writer) {
        return writers[writer];
    }

    void step(int writer) {
        writers[writer]++;
    }
}
