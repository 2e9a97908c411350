// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.guest.Damage.Kind;

/** Says what is wrong with a page that is not what it should be. Stateless; allocates as it likes, since damage is rare. */
final class ChurnDiagnosis {
    private ChurnDiagnosis() {}

    /** @param words what the page holds, which is not what {@code pages} composes for the other arguments */
    static Damage written(ChurnPages pages, long[] words, long place, int writer, long sweep) {
        String block = ChurnLayout.name(ChurnLayout.block(place));
        long page = ChurnLayout.page(place);
        if (isZero(words)) {
            return Damage.of(
                    Kind.LOST, block, page, "holds only zeroes where " + name(writer, sweep) + " was expected");
        }
        if (words[ChurnPages.MAGIC_AT] == ChurnPages.MAGIC && words[ChurnPages.SUM_AT] == ChurnPages.sum(words)) {
            return whole(pages, words, block, page, place, writer, sweep);
        }
        return broken(pages, words, block, page, place, writer, sweep);
    }

    /** @param words what a page holds that nobody ever wrote, not all zero */
    static Damage notZero(long[] words, long place) {
        int first = 0;
        while (words[first] == 0) {
            first++;
        }
        return Damage.of(
                Kind.NOT_ZERO,
                ChurnLayout.name(ChurnLayout.block(place)),
                ChurnLayout.page(place),
                "holds 0x" + Long.toHexString(words[first]) + " at byte " + first * Long.BYTES
                        + (words[ChurnPages.MAGIC_AT] == ChurnPages.MAGIC
                                ? ", the content of " + where(words[ChurnPages.PLACE_AT])
                                : ""));
    }

    /** The page is one that some guest wrote somewhere some time. */
    private static Damage whole(
            ChurnPages pages, long[] words, String block, long page, long place, int writer, long sweep) {
        if (words[ChurnPages.SEED_AT] != pages.seed()) {
            return Damage.of(Kind.MISPLACED, block, page, "holds a page of a guest with another seed");
        }
        if (words[ChurnPages.PLACE_AT] != place) {
            return Damage.of(Kind.MISPLACED, block, page, "holds the content of " + where(words[ChurnPages.PLACE_AT]));
        }
        long found = words[ChurnPages.SWEEP_AT];
        if (words[ChurnPages.WRITER_AT] != writer || found == sweep) {
            return Damage.of(
                    Kind.CORRUPT,
                    block,
                    page,
                    "holds " + name((int) words[ChurnPages.WRITER_AT], found) + " where " + name(writer, sweep)
                            + " was expected");
        }
        return Damage.of(
                found < sweep ? Kind.STALE : Kind.FUTURE,
                block,
                page,
                "holds sweep " + found + " where " + sweep + " was expected");
    }

    /** The page is of no single write: a mixture of two, or garbage. */
    private static Damage broken(
            ChurnPages pages, long[] words, String block, long page, long place, int writer, long sweep) {
        long[] expected = new long[ChurnPages.WORDS];
        pages.compose(expected, place, writer, sweep);
        int right = matches(words, expected, null);
        long[] others = {0, sweep - 1, sweep + 1, words[ChurnPages.SWEEP_AT]};
        for (int i = 0; i < others.length; i++) {
            long[] other = new long[ChurnPages.WORDS];
            if (i > 0) {
                pages.compose(other, place, writer, others[i]);
            }
            int rest = matches(words, other, expected);
            // What the page itself claims is no proof: then more than the claim has to be of that sweep.
            int enough = i == 3 ? 2 : 1;
            if (right > 0 && rest >= enough && matchesEither(words, expected, other)) {
                return Damage.of(
                        Kind.TORN,
                        block,
                        page,
                        "holds " + right + " words of " + name(writer, sweep) + " and " + (ChurnPages.WORDS - right)
                                + (i == 0 ? " zero words" : " of sweep " + others[i]));
            }
        }
        int first = 0;
        while (words[first] == expected[first]) {
            first++;
        }
        return Damage.of(
                Kind.CORRUPT,
                block,
                page,
                "differs from " + name(writer, sweep) + " in " + (ChurnPages.WORDS - right)
                        + " of 512 words, first at byte " + first * Long.BYTES);
    }

    /** How many words are as in {@code content} and, if given, not as in {@code but}. */
    private static int matches(long[] words, long[] content, long @org.jspecify.annotations.Nullable [] but) {
        int n = 0;
        for (int i = 0; i < words.length; i++) {
            if (words[i] == content[i] && (but == null || words[i] != but[i])) {
                n++;
            }
        }
        return n;
    }

    private static boolean matchesEither(long[] words, long[] a, long[] b) {
        for (int i = 0; i < words.length; i++) {
            if (words[i] != a[i] && words[i] != b[i]) {
                return false;
            }
        }
        return true;
    }

    static boolean isZero(long[] words) {
        long any = 0;
        for (long word : words) {
            any |= word;
        }
        return any == 0;
    }

    private static String name(int writer, long sweep) {
        return writer == ChurnPages.COLD ? "the first and only content" : "sweep " + sweep + " of writer " + writer;
    }

    private static String where(long place) {
        int block = ChurnLayout.block(place);
        return block <= ChurnLayout.ROM && block >= 0
                ? "page " + ChurnLayout.page(place) + " of '" + ChurnLayout.name(block) + "'"
                : "page 0x" + Long.toHexString(place) + " of no block";
    }
}
