// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * One bit per page of one block. Safe for several threads: a set bit is published with release and read with acquire, so whoever
 * sees a page's bit sees what was written before it was set. Ranges and searches are not atomic as a whole.
 */
public final class PageBitmap {
    private final AtomicLongArray words;
    private final long pages;

    public PageBitmap(long pages) {
        if (pages <= 0 || pages > (long) Integer.MAX_VALUE * 32) {
            throw new IllegalArgumentException("a page bitmap has 1 to 2^36 pages, got " + pages);
        }
        this.pages = pages;
        this.words = new AtomicLongArray((int) ((pages + 63) >>> 6));
    }

    public long pages() {
        return pages;
    }

    public boolean get(long page) {
        check(page);
        return (words.getAcquire((int) (page >>> 6)) & bit(page)) != 0;
    }

    /** Sets the bit; true if it was clear before. Exactly one of several racing callers gets true. */
    public boolean set(long page) {
        check(page);
        int i = (int) (page >>> 6);
        long bit = bit(page);
        return (words.getAndUpdate(i, w -> w | bit) & bit) == 0;
    }

    /** Clears the bit; true if it was set before. */
    public boolean clear(long page) {
        check(page);
        int i = (int) (page >>> 6);
        long bit = bit(page);
        return (words.getAndUpdate(i, w -> w & ~bit) & bit) != 0;
    }

    /** Sets pages {@code from} (inclusive) to {@code to} (exclusive). */
    public void setRange(long from, long to) {
        for (long p = from; p < to; p++) {
            set(p);
        }
    }

    public void clearRange(long from, long to) {
        for (long p = from; p < to; p++) {
            clear(p);
        }
    }

    public void setAll() {
        setRange(0, pages);
    }

    public void clearAll() {
        for (int i = 0; i < words.length(); i++) {
            words.set(i, 0);
        }
    }

    /** First set page at or after {@code from}, or -1. */
    public long nextSet(long from) {
        if (from >= pages) {
            return -1;
        }
        int i = (int) (from >>> 6);
        long word = words.getAcquire(i) & (-1L << from);
        while (word == 0) {
            if (++i == words.length()) {
                return -1;
            }
            word = words.getAcquire(i);
        }
        return ((long) i << 6) + Long.numberOfTrailingZeros(word);
    }

    /** First clear page at or after {@code from}, or -1. */
    public long nextClear(long from) {
        for (long p = from; p < pages; p++) {
            if (!get(p)) {
                return p;
            }
        }
        return -1;
    }

    /** Number of set bits. */
    public long cardinality() {
        long n = 0;
        for (int i = 0; i < words.length(); i++) {
            n += Long.bitCount(words.getAcquire(i));
        }
        return n;
    }

    public int wordCount() {
        return words.length();
    }

    /** 64 pages, the lowest in bit 0. */
    public long word(int index) {
        return words.getAcquire(index);
    }

    /** Replaces 64 pages; bits past the end are dropped. */
    public void setWord(int index, long word) {
        words.setRelease(index, word & validBits(index));
    }

    /** Adds bits of 64 pages; returns the former word. */
    public long orWord(int index, long bits) {
        long valid = bits & validBits(index);
        return words.getAndUpdate(index, w -> w | valid);
    }

    public PageBitmap copy() {
        PageBitmap copy = new PageBitmap(pages);
        for (int i = 0; i < words.length(); i++) {
            copy.words.set(i, words.getAcquire(i));
        }
        return copy;
    }

    private long validBits(int index) {
        long rest = pages - ((long) index << 6);
        return rest >= 64 ? -1L : (1L << rest) - 1;
    }

    private static long bit(long page) {
        return 1L << page;
    }

    private void check(long page) {
        if (page < 0 || page >= pages) {
            throw new IndexOutOfBoundsException("page " + page + " of a block of " + pages + " pages");
        }
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof PageBitmap that) || that.pages != pages) {
            return false;
        }
        for (int i = 0; i < words.length(); i++) {
            if (words.getAcquire(i) != that.words.getAcquire(i)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        long hash = pages;
        for (int i = 0; i < words.length(); i++) {
            hash = hash * 31 + words.getAcquire(i);
        }
        return Long.hashCode(hash);
    }
}
