// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

/**
 * A seeded one-to-one map of 0 to n-1 onto itself that looks random and needs no memory: a Feistel network over the next power of four, whose
 * results outside the range are mapped again until they fall into it (at most four times on average). Immutable.
 */
final class Permutation {
    private static final int ROUNDS = 4;

    private final long size;
    private final int halfBits;
    private final long halfMask;
    private final long[] keys = new long[ROUNDS];

    /** @param size 1 to 2^60 */
    Permutation(long size, long seed) {
        this.size = size;
        int bits = 64 - Long.numberOfLeadingZeros(Math.max(1, size - 1));
        halfBits = (bits + 1) / 2;
        halfMask = (1L << halfBits) - 1;
        for (int i = 0; i < ROUNDS; i++) {
            keys[i] = Mix.mix(seed + i * Mix.GOLDEN);
        }
    }

    /** @param index 0 to size-1 */
    long apply(long index) {
        long value = index;
        do {
            long left = value >>> halfBits;
            long right = value & halfMask;
            for (int i = 0; i < ROUNDS; i++) {
                long next = left ^ (Mix.mix(right ^ keys[i]) & halfMask);
                left = right;
                right = next;
            }
            value = (left << halfBits) | right;
        } while (value >= size);
        return value;
    }
}
