// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.Pages;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * A block's memory as byte buffers of 1 GiB each, so that bytes move between it and any other buffer without an object per copy. No copy may span
 * two pages.
 */
final class BlockWindows {
    private static final int SHIFT = 30;
    private static final long MASK = (1L << SHIFT) - 1;
    private static final ByteBuffer ZEROES =
            ByteBuffer.allocateDirect(Pages.SIZE).asReadOnlyBuffer();

    private final ByteBuffer[] windows;

    BlockWindows(MemorySegment ram) {
        windows = new ByteBuffer[(int) ((ram.byteSize() + MASK) >>> SHIFT)];
        for (int i = 0; i < windows.length; i++) {
            long from = (long) i << SHIFT;
            windows[i] = ram.asSlice(from, Math.min(1L << SHIFT, ram.byteSize() - from))
                    .asByteBuffer();
        }
    }

    /** Appends bytes to {@code out}. */
    void read(long offset, ByteBuffer out, int length) {
        out.put(out.position(), window(offset), (int) (offset & MASK), length);
        out.position(out.position() + length);
    }

    /** Stores bytes that stand in {@code in} at an absolute position. */
    void write(long offset, ByteBuffer in, int position, int length) {
        window(offset).put((int) (offset & MASK), in, position, length);
    }

    /** Appends the bytes of an all-zero page. */
    static void readZeroes(ByteBuffer out) {
        out.put(out.position(), ZEROES, 0, Pages.SIZE);
        out.position(out.position() + Pages.SIZE);
    }

    void zeroPage(long page) {
        write(page << Pages.SHIFT, ZEROES, 0, Pages.SIZE);
    }

    private ByteBuffer window(long offset) {
        return windows[(int) (offset >>> SHIFT)];
    }
}
