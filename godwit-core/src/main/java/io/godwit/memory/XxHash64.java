// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * XXH64, the 64-bit hash of the xxHash family: fast, well spread, not cryptographic. The words of the input are little-endian, so the hash
 * of some bytes is the same everywhere. Stateless and allocation-free.
 */
public final class XxHash64 {
    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private XxHash64() {}

    /** Hash of {@code length} bytes from {@code offset} on. */
    public static long hash(MemorySegment data, long offset, long length, long seed) {
        long at = offset;
        long end = offset + length;
        long hash;
        if (length >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (long limit = end - 32; at <= limit; at += 32) {
                a = round(a, data.get(LONG, at));
                b = round(b, data.get(LONG, at + 8));
                c = round(c, data.get(LONG, at + 16));
                d = round(d, data.get(LONG, at + 24));
            }
            hash = converge(a, b, c, d);
        } else {
            hash = seed + P5;
        }
        hash += length;
        for (; at + 8 <= end; at += 8) {
            hash = mixLong(hash, data.get(LONG, at));
        }
        if (at + 4 <= end) {
            hash = Long.rotateLeft(hash ^ (Integer.toUnsignedLong(data.get(INT, at)) * P1), 23) * P2 + P3;
            at += 4;
        }
        for (; at < end; at++) {
            int value = Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, at));
            hash = Long.rotateLeft(hash ^ (value * P5), 11) * P1;
        }
        return avalanche(hash);
    }

    /** Hash of the words from index {@code from} to {@code to} (exclusive), each as its 8 little-endian bytes. */
    public static long hash(long[] words, int from, int to, long seed) {
        int at = from;
        long hash;
        if (to - from >= 4) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; at <= to - 4; at += 4) {
                a = round(a, words[at]);
                b = round(b, words[at + 1]);
                c = round(c, words[at + 2]);
                d = round(d, words[at + 3]);
            }
            hash = converge(a, b, c, d);
        } else {
            hash = seed + P5;
        }
        hash += (to - from) * 8L;
        for (; at < to; at++) {
            hash = mixLong(hash, words[at]);
        }
        return avalanche(hash);
    }

    private static long round(long lane, long word) {
        return Long.rotateLeft(lane + word * P2, 31) * P1;
    }

    private static long mixLong(long hash, long word) {
        return Long.rotateLeft(hash ^ round(0, word), 27) * P1 + P4;
    }

    private static long converge(long a, long b, long c, long d) {
        long hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
        hash = (hash ^ round(0, a)) * P1 + P4;
        hash = (hash ^ round(0, b)) * P1 + P4;
        hash = (hash ^ round(0, c)) * P1 + P4;
        return (hash ^ round(0, d)) * P1 + P4;
    }

    private static long avalanche(long hash) {
        long h = (hash ^ (hash >>> 33)) * P2;
        h = (h ^ (h >>> 29)) * P3;
        return h ^ (h >>> 32);
    }
}
