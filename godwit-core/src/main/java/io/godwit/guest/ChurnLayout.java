// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.util.List;

/**
 * Which page of a {@link ChurnGuest} is for what. Its pages are numbered by <em>index</em>: first the hot ones, then the cold ones, the zero ones, and the
 * ROM. A permutation scatters all but the ROM over {@code churn.ram} and {@code churn.vram}; so walking the indexes in order walks the memory in disorder. Immutable.
 *
 * <p>Of several writers the first owns only the first few hot indexes: soon after a switch to postcopy all its pages are there, and it shows that the guest
 * goes on while others wait. The rest is dealt out to the other writers in turn. Each walks its indexes upwards.
 */
final class ChurnLayout {
    static final int RAM = 0;
    static final int VRAM = 1;
    static final int ROM = 2;
    static final long VRAM_PAGES = 256;
    static final long ROM_PAGES = 64;

    /** How many pages the first of several writers owns, if there are enough. */
    static final long FIRST_WRITERS_PAGES = 32;

    private static final List<String> NAMES = List.of("churn.ram", "churn.vram", "churn.rom");

    private final long ramPages;
    private final long scattered;
    private final long hot;
    private final long cold;
    private final long first;
    private final int others;
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
        int writers = options.writers();
        long rewritten = scattered * options.hotPercent() / 100;
        hot = writers == 0 ? 0 : rewritten;
        cold = scattered * options.coldPercent() / 100 + (rewritten - hot);
        others = Math.max(0, writers - 1);
        first = writers <= 1 ? hot : Math.min(FIRST_WRITERS_PAGES, hot / writers);
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
        return writer == 0 ? first : (hot - first - (writer - 1) + others - 1) / others;
    }

    /** The hot index at a position of a writer's walk. */
    long hotIndex(int writer, long position) {
        return writer == 0 ? position : first + (writer - 1) + position * others;
    }

    int owner(long hotIndex) {
        return hotIndex < first ? 0 : 1 + (int) ((hotIndex - first) % others);
    }

    /** Where in its owner's walk a hot index comes. */
    long position(long hotIndex) {
        return hotIndex < first ? hotIndex : (hotIndex - first) / others;
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
