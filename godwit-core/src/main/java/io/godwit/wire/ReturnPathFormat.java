// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/** Named numbers of the return path, {@code spec/return-path.md §2, §3}. */
final class ReturnPathFormat {
    static final int SHUT = 1;
    static final int PONG = 2;
    static final int REQ_PAGES_ID = 3;
    static final int REQ_PAGES = 4;
    static final int RECV_BITMAP = 5;
    static final int RESUME_ACK = 6;
    static final int SWITCHOVER_ACK = 7;

    /** Bytes of type and length. */
    static final int HEADER = 4;
    /** Bytes of a request's offset and length. */
    static final int REQUEST = 12;
    /** Longest payload that a source of QEMU takes. */
    static final int MAX_PAYLOAD = 512;

    static final long BITMAP_TRAILER = 0x0123456789abcdefL;

    private ReturnPathFormat() {}

    /** Bytes of the bitmap of so many pages: whole 64-bit words. */
    static long bitmapBytes(long pages) {
        return (pages + 63) / 64 * 8;
    }
}
