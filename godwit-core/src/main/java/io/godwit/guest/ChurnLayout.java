// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.util.List;

/**
 * Which page of a {@link ChurnGuest} is for what. Its pages are numbered by <em>index</em>: first the hot ones, then the cold ones, the zero ones, and the
 * ROM. A permutation scatters all but the ROM over {@code churn.ram} and {@code churn.vram}; so walking the indexes in order walks the memory in disorder. Writer w of n owns the hot indexes
 * w, w+n, w+2n, … and walks them in this order. Immutable.
 */
final class ChurnLayout {
    static final int RAM = 0;
    static final int VRAM = 1;
    static final int ROM = 2;
    static final long VRAM_PAGES = 256;
    static final long ROM_PAGES = 64;

    private static final List<String> NAMES = List.of("churn.ram", "churn.vram", "churn.rom");

    private final long ramPages;
    private final long scattered;
    private final long hot;
    private final long cold;
    private final int writers;
    private final Permutation order;

    /** What a page is for. */
    enum Role {
        HOT,
        COLD,
        ZERO
    }

    ChurnLayout(ChurnOptions options) {
        ramPages = options.size() >>> Pages.SHIFT;
        scattered = ramPages + VRAM_PAGES;
        writers = options.writers();
        long rewritten = scattered * options.hotPercent() / 100;
        hot = writers == 0 ? 0 : rewritten;
        cold = scattered * options.coldPercent() / 100 + (rewritten - hot);
        order = new Permutation(scattered, options.seed());
    }

    static List<BlockInfo> blocks(long size) {
        return List.of(
                BlockInfo.of(NAMES.get(RAM), size),
                BlockInfo.of(NAMES.get(VRAM), VRAM_PAGES << Pages.SHIFT),
                BlockInfo.of(NAMES.get(ROM), ROM_PAGES << Pages.SHIFT));
    }

    static String name(int block) {
        return NAMES.get(block);
    }

    /** Number of indexes: all pages of all blocks. */
    long indexes() {
        return scattered + ROM_PAGES;
    }

    Role role(long index) {
        if (index < hot) {
            return Role.HOT;
        }
        return index < hot + cold || index >= scattered ? Role.COLD : Role.ZERO;
    }

    /** The page of an index as one number: block and page, see {@link #block} and {@link #page}. */
    long place(long index) {
        if (index >= scattered) {
            return place(ROM, index - scattered);
        }
        long page = order.apply(index);
        return page < ramPages ? place(RAM, page) : place(VRAM, page - ramPages);
    }

    static long place(int block, long page) {
        return ((long) block << 48) | page;
    }

    static int block(long place) {
        return (int) (place >>> 48);
    }

    static long page(long place) {
        return place & ((1L << 48) - 1);
    }

    /** How many hot pages a writer owns. */
    long owned(int writer) {
        return (hot - writer + writers - 1) / writers;
    }

    long hotIndex(int writer, long position) {
        return writer + position * writers;
    }

    int owner(long hotIndex) {
        return (int) (hotIndex % writers);
    }

    /** Where in its owner's walk a hot index comes. */
    long position(long hotIndex) {
        return hotIndex / writers;
    }

    /** Number of cold pages. */
    long coldPages() {
        return cold + ROM_PAGES;
    }

    /** The index of the i-th cold page. */
    long coldIndex(long i) {
        return i < cold ? hot + i : scattered + (i - cold);
    }
}
