// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.XxHash64;
import io.godwit.page.Pages;
import java.util.Arrays;

/**
 * What a {@link ChurnGuest} writes into a page, as 512 little-endian words:
 *
 * <pre>
 *   0  magic                        4  sweep
 *   1  place (block, page)          5  XXH64 of all other words
 *   2  the guest's seed             6… incompressible bytes from seed, place and sweep,
 *   3  writer, or -1 if cold           then zeroes up to the end if the payload is shorter
 * </pre>
 *
 * Every word follows from (seed, place, writer, sweep), so a page is compared to the last bit. Immutable.
 */
final class ChurnPages {
    static final int WORDS = Pages.SIZE / Long.BYTES;
    static final int HEADER = 6;
    static final int COLD = -1;

    static final int MAGIC_AT = 0;
    static final int PLACE_AT = 1;
    static final int SEED_AT = 2;
    static final int WRITER_AT = 3;
    static final int SWEEP_AT = 4;
    static final int SUM_AT = 5;

    /** "GODWIT" and the layout's version. */
    static final long MAGIC = 0x0001_5449_5744_4F47L;

    private final long seed;
    private final int payloadEnd;

    /** @param payloadBytes end of the incompressible part, as in {@link ChurnOptions} */
    ChurnPages(long seed, int payloadBytes) {
        this.seed = seed;
        this.payloadEnd = payloadBytes / Long.BYTES;
    }

    long seed() {
        return seed;
    }

    /** Writes the whole content into {@code words}, which has 512 places. */
    void compose(long[] words, long place, int writer, long sweep) {
        words[MAGIC_AT] = MAGIC;
        words[PLACE_AT] = place;
        words[SEED_AT] = seed;
        words[WRITER_AT] = writer;
        words[SWEEP_AT] = sweep;
        long from = Mix.mix(Mix.mix(seed ^ place * Mix.GOLDEN) + sweep);
        for (int i = HEADER; i < payloadEnd; i++) {
            words[i] = Mix.mix(from + i * Mix.GOLDEN);
        }
        Arrays.fill(words, payloadEnd, WORDS, 0);
        words[SUM_AT] = sum(words);
    }

    /** The checksum that belongs into the page. */
    static long sum(long[] words) {
        return XxHash64.hash(words, HEADER, WORDS, XxHash64.hash(words, 0, SUM_AT, 0));
    }
}
