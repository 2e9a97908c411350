// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One bit per page of one block. Safe for several threads: a set bit is published with release and read with acquire, so whoever sees a page's
 * bit sees what was written before it was set. Each word of 64 pages changes atomically; ranges, copies and searches are not atomic as a whole.
 *
 * <p>{@link #set} and {@link #clear} always do the atomic update, also when the bit has its value already: a test before it could read an old
 * value and lose a mark.
 */
public final class PageBitmap {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words;
    private final long pages;

    /**
     * All pages clear.
     *
     * @param pages 1 to 2^36; memory of {@code pages / 8} bytes is taken at once, so a number from a peer is checked before it comes here
     */
    public PageBitmap(long pages) {
        if (pages <= 0 || pages > 1L << 36) {
            throw new IllegalArgumentException("a page bitmap has 1 to 2^36 pages, got " + pages);
        }
        this.pages = pages;
        this.words = new long[(int) ((pages + 63) >>> 6)];
    }

    /** Number of pages. */
    public long pages() {
        return pages;
    }

    /** Whether the page's bit is set; acquire. */
    public boolean get(long page) {
        check(page);
        return (word((int) (page >>> 6)) & bit(page)) != 0;
    }

    /** Sets the bit; true if it was clear before. Exactly one of several racing callers gets true. */
    public boolean set(long page) {
        check(page);
        return ((long) WORDS.getAndBitwiseOr(words, (int) (page >>> 6), bit(page)) & bit(page)) == 0;
    }

    /** Clears the bit; true if it was set before. Exactly one of several racing callers gets true. */
    public boolean clear(long page) {
        check(page);
        return ((long) WORDS.getAndBitwiseAnd(words, (int) (page >>> 6), ~bit(page)) & bit(page)) != 0;
    }

    /** Sets pages {@code from} (inclusive) to {@code to} (exclusive), word by word. */
    public void setRange(long from, long to) {
        checkRange(from, to);
        for (long p = from; p < to; p = nextWord(p)) {
            WORDS.getAndBitwiseOr(words, (int) (p >>> 6), bitsInWord(p, to));
        }
    }

    /** Clears pages {@code from} (inclusive) to {@code to} (exclusive), word by word. */
    public void clearRange(long from, long to) {
        checkRange(from, to);
        for (long p = from; p < to; p = nextWord(p)) {
            WORDS.getAndBitwiseAnd(words, (int) (p >>> 6), ~bitsInWord(p, to));
        }
    }

    /** Sets every page. */
    public void setAll() {
        for (int i = 0; i < words.length; i++) {
            WORDS.setRelease(words, i, validBits(i));
        }
    }

    /** Clears every page. */
    public void clearAll() {
        for (int i = 0; i < words.length; i++) {
            WORDS.setRelease(words, i, 0L);
        }
    }

    /** First set page at or after {@code from}, or -1. */
    public long nextSet(long from) {
        return next(from, 0);
    }

    /** First clear page at or after {@code from}, or -1. */
    public long nextClear(long from) {
        long page = next(from, -1L);
        return page < pages ? page : -1;
    }

    /** Searches the words, each xor {@code flip}, for the first one-bit at or after {@code from}. */
    private long next(long from, long flip) {
        if (from < 0) {
            throw new IndexOutOfBoundsException("page " + from + " of a block of " + pages + " pages");
        }
        if (from >= pages) {
            return -1;
        }
        int i = (int) (from >>> 6);
        long word = (word(i) ^ flip) & (-1L << from);
        while (word == 0) {
            if (++i == words.length) {
                return -1;
            }
            word = word(i) ^ flip;
        }
        return ((long) i << 6) + Long.numberOfTrailingZeros(word);
    }

    /** How many pages from {@code from} on are set without a gap, looking at {@code most} of them. */
    public int run(long from, int most) {
        long end = Math.min(pages, from + most);
        long page = from;
        while (page < end) {
            int ones = Long.numberOfTrailingZeros(~(word((int) (page >>> 6)) >>> page));
            if (ones < 64 - (page & 63)) {
                page += ones;
                break;
            }
            page = nextWord(page);
        }
        return (int) (Math.min(page, end) - from);
    }

    /** Number of set bits. */
    public long cardinality() {
        long n = 0;
        for (int i = 0; i < words.length; i++) {
            n += Long.bitCount(word(i));
        }
        return n;
    }

    /** Number of set bits from {@code from} (inclusive) to {@code to} (exclusive). */
    public long cardinality(long from, long to) {
        checkRange(from, to);
        long n = 0;
        for (long p = from; p < to; p = nextWord(p)) {
            n += Long.bitCount(word((int) (p >>> 6)) & bitsInWord(p, to));
        }
        return n;
    }

    /** Number of words of 64 pages; the last one may be partly past the end, and is clear there. */
    public int wordCount() {
        return words.length;
    }

    /** 64 pages, the lowest in bit 0; acquire. */
    public long word(int index) {
        return (long) WORDS.getAcquire(words, index);
    }

    /** Replaces 64 pages; bits past the end are dropped. */
    public void setWord(int index, long word) {
        WORDS.setRelease(words, index, word & validBits(index));
    }

    /** Adds bits of 64 pages; returns the former word. */
    public long orWord(int index, long bits) {
        return (long) WORDS.getAndBitwiseOr(words, index, bits & validBits(index));
    }

    /** The bits of word {@code index} that stand for a page: all 64 but for the last word. */
    public long validBits(int index) {
        long rest = pages - ((long) index << 6);
        return rest >= 64 ? -1L : (1L << rest) - 1;
    }

    /**
     * Appends words from {@code fromWord} on to {@code out}, each as 8 bytes little-endian, as many as are left and have room: the bitmap's body
     * on the return path, page p at bit p%8 of byte p/8 ({@code spec/return-path.md §3}).
     *
     * @return the number of words written
     */
    public int putWords(ByteBuffer out, int fromWord) {
        int n = Math.min(words.length - fromWord, out.remaining() >>> 3);
        ByteOrder order = out.order();
        out.order(ByteOrder.LITTLE_ENDIAN);
        for (int i = fromWord; i < fromWord + n; i++) {
            out.putLong(word(i));
        }
        out.order(order);
        return n;
    }

    /**
     * Replaces words from {@code fromWord} on by what {@code in} holds, the layout of {@link #putWords}, as many as are left and are there whole.
     *
     * @return the number of words read; or, if the word after the ones read has bits past the last page, {@code -1 - n} with that word unread
     */
    public int takeWords(ByteBuffer in, int fromWord) {
        int n = Math.min(words.length - fromWord, in.remaining() >>> 3);
        ByteOrder order = in.order();
        in.order(ByteOrder.LITTLE_ENDIAN);
        int taken = 0;
        for (; taken < n; taken++) {
            long word = in.getLong(in.position());
            if ((word & ~validBits(fromWord + taken)) != 0) {
                in.order(order);
                return -1 - taken;
            }
            WORDS.setRelease(words, fromWord + taken, word);
            in.position(in.position() + 8);
        }
        in.order(order);
        return taken;
    }

    /** A bitmap of its own with the same bits; each word is read once. */
    public PageBitmap copy() {
        PageBitmap copy = new PageBitmap(pages);
        for (int i = 0; i < words.length; i++) {
            copy.words[i] = word(i);
        }
        VarHandle.releaseFence();
        return copy;
    }

    private static long bit(long page) {
        return 1L << page;
    }

    private static long nextWord(long page) {
        return (page | 63) + 1;
    }

    /** The bits from page {@code from} to {@code to} (exclusive) that lie in the word of {@code from}. */
    private static long bitsInWord(long from, long to) {
        long above = to - (from & ~63L) >= 64 ? -1L : (1L << to) - 1;
        return above & (-1L << from);
    }

    private void check(long page) {
        if (page < 0 || page >= pages) {
            throw new IndexOutOfBoundsException("page " + page + " of a block of " + pages + " pages");
        }
    }

    private void checkRange(long from, long to) {
        if (from < 0 || to < from || to > pages) {
            throw new IndexOutOfBoundsException("pages " + from + " to " + to + " of a block of " + pages + " pages");
        }
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof PageBitmap that) || that.pages != pages) {
            return false;
        }
        for (int i = 0; i < words.length; i++) {
            if (word(i) != that.word(i)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        long hash = pages;
        for (int i = 0; i < words.length; i++) {
            hash = hash * 31 + word(i);
        }
        return Long.hashCode(hash);
    }

    @Override
    public String toString() {
        return cardinality() + " of " + pages + " pages";
    }
}
