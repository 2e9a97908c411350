// SPDX-License-Identifier: Apache-2.0

package io.godwit.fuzz;

import java.nio.ByteBuffer;

/** A file's bytes as reads bring them, which may be short. Stateless. */
public final class ShortReads {
    private ShortReads() {}

    /**
     * A positioned read.
     *
     * @param most bytes that one read brings
     * @return how many came, or -1 behind the end
     */
    public static int part(byte[] file, long position, ByteBuffer into, int most) {
        if (position < 0) {
            throw new AssertionError("a read at " + position);
        }
        if (position >= file.length) {
            return -1;
        }
        int n = Math.min(Math.min(into.remaining(), most), file.length - (int) position);
        into.put(file, (int) position, n);
        return n;
    }
}
