// SPDX-License-Identifier: Apache-2.0

package io.godwit.fuzz;

/** Decisions out of a fuzzer's bytes, one byte each; all are 0 once the bytes are used up. */
public final class Choices {
    private final byte[] bytes;
    private int at;

    public Choices(byte[] bytes) {
        this.bytes = bytes;
    }

    public boolean left() {
        return at < bytes.length;
    }

    /** 0 to {@code bound - 1}; {@code bound} is at most 256. */
    public int next(int bound) {
        return left() ? (bytes[at++] & 0xff) % bound : 0;
    }

    public boolean chance() {
        return next(2) == 1;
    }
}
