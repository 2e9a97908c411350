// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

/**
 * How far pages are read ahead, in pages.
 *
 * @param start read at once where a run begins: a guest that asked for one page may well want the next
 * @param most read at once at most, and at a block's beginning: nobody asks for that at random
 * @param settled in order from which on others are read elsewhere: where a guest asks for pages all the time, that would be for nothing
 * @param lent so many neighbours and more leave from where they were read; a copy of fewer costs less than the write of its own that a loan needs
 */
public record ReadAhead(int start, int most, long settled, int lent) {
    public static final ReadAhead USUAL = new ReadAhead(4, 16, 512, 16);

    /** For whoever has no other thread. */
    static final ReadAhead NOT_ELSEWHERE = new ReadAhead(4, 64, Long.MAX_VALUE, Integer.MAX_VALUE);
}
