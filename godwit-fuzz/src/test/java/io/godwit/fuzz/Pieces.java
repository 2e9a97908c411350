// SPDX-License-Identifier: Apache-2.0

package io.godwit.fuzz;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Hands bytes to a decoder through one buffer, in pieces, as a socket would: what was left of one piece stands before the next. */
public final class Pieces {
    private final byte[] bytes;
    private final ByteBuffer buffer;
    private final int kind;
    private int at;
    private int pieces;

    /**
     * @param capacity of the buffer, bytes
     * @param kind of the sizes of pieces: 0 as much as there is room for; up to 63 that many bytes; above that sizes from 1 to a power of 2, which vary
     */
    public Pieces(byte[] bytes, int capacity, int kind) {
        this.bytes = bytes;
        this.buffer = ByteBuffer.allocate(capacity).flip();
        this.kind = kind;
    }

    /** The buffer with the next piece in it, or null if all were given. The first may be empty. */
    public ByteBuffer buffer() {
        return buffer;
    }

    /** Puts the next piece into the buffer; false if there is none. */
    public boolean next() {
        if (pieces++ > 0 && at == bytes.length) {
            return false;
        }
        buffer.compact();
        int n = Math.min(Math.min(size(), bytes.length - at), buffer.remaining());
        if (n == 0 && at < bytes.length) {
            throw new AssertionError(
                    "the decoder wants more than a buffer of " + buffer.capacity() + " bytes can hold");
        }
        buffer.put(bytes, at, n).flip();
        at += n;
        return true;
    }

    private int size() {
        if (kind == 0) {
            return Integer.MAX_VALUE;
        }
        return kind < 64 ? kind : 1 + ((pieces * 0x9e3779b9 + kind) >>> 1) % (1 << (kind % 13));
    }

    /** What stands behind the first {@code head} bytes of an input, which are for the target itself. */
    public static byte[] rest(byte[] input, int head) {
        return Arrays.copyOfRange(input, Math.min(head, input.length), input.length);
    }

    /** Byte {@code index} of the input, 0 if it is shorter. */
    public static int control(byte[] input, int index) {
        return index < input.length ? input[index] & 0xff : 0;
    }
}
