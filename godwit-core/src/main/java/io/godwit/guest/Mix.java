// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

/** The mixing function of SplitMix64 (Steele, Lea, Flood 2014): each input bit changes each output bit with probability one half. */
final class Mix {
    /** 2^64 divided by the golden ratio, odd: steps by it visit all values, far apart. */
    static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Mix() {}

    static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
