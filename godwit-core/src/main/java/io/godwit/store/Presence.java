// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;

/**
 * What is known of each page, four bits of it: 128 KiB per GiB of RAM, all that grows with it. {@link #received} changes under the sink's lock and may be read by
 * any thread; a page's {@link #zero} bit counts only if it is received.
 */
final class Presence {
    private static final long BITS_PER_PAGE = 4;

    private final BlockTable table;
    private final PageBitmap[] received;
    private final PageBitmap[] zero;
    private final PageBitmap[] durable;
    private final PageBitmap[] touched;

    /**
     * Whoever sends a VM says how much RAM it has, in a few bytes; this is asked before anything is allocated by them.
     *
     * @throws StoreException of kind {@code REFUSED} if the bits would take more than half of the heap
     */
    static void requireRoom(BlockTable table) {
        long bytes = BITS_PER_PAGE * (table.totalPages() / Byte.SIZE);
        long most = Runtime.getRuntime().maxMemory() / 2;
        if (bytes > most) {
            throw new StoreException(
                    StoreException.Kind.REFUSED,
                    "the VM has " + (table.totalPages() >>> 18) + " GiB of RAM, and to keep account of its pages takes "
                            + (bytes >>> 20)
                            + " MiB of heap, of which at most " + (most >>> 20)
                            + " are taken for that here; give the process more (-Xmx)");
        }
    }

    /** @throws StoreException as {@link #requireRoom} */
    Presence(BlockTable table) {
        requireRoom(table);
        this.table = table;
        this.received = bitmaps(table);
        this.zero = bitmaps(table);
        this.durable = bitmaps(table);
        this.touched = bitmaps(table);
    }

    private static PageBitmap[] bitmaps(BlockTable table) {
        PageBitmap[] bitmaps = new PageBitmap[table.size()];
        for (int i = 0; i < bitmaps.length; i++) {
            bitmaps[i] = new PageBitmap(table.get(i).pages());
        }
        return bitmaps;
    }

    BlockTable table() {
        return table;
    }

    PageBitmap received(int block) {
        return received[block];
    }

    /** The page was all zero. Its file may nevertheless not be asked. */
    PageBitmap zero(int block) {
        return zero[block];
    }

    /** Received, synced, and said so by a synced presence file. Changed by the thread that makes checkpoints. */
    PageBitmap durable(int block) {
        return durable[block];
    }

    /** The page's place in the file may hold something else than zeroes. */
    PageBitmap touched(int block) {
        return touched[block];
    }

    /** The received bitmaps as they are now. */
    PageBitmap[] snapshot() {
        PageBitmap[] copies = new PageBitmap[received.length];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = received[i].copy();
        }
        return copies;
    }

    long missing() {
        long present = 0;
        for (PageBitmap bitmap : received) {
            present += bitmap.cardinality();
        }
        return table.totalPages() - present;
    }

    long durablePages() {
        long pages = 0;
        for (PageBitmap bitmap : durable) {
            pages += bitmap.cardinality();
        }
        return pages;
    }

    /** Pages that are received and not zero. */
    long dataPages(int block) {
        long pages = 0;
        for (int i = 0; i < received[block].wordCount(); i++) {
            pages += Long.bitCount(received[block].word(i) & ~zero[block].word(i));
        }
        return pages;
    }

    /** Only what is durable is received; the rest of the files may hold anything. */
    void fallBackToDurable() {
        for (int block = 0; block < received.length; block++) {
            for (int i = 0; i < received[block].wordCount(); i++) {
                long word = durable[block].word(i);
                received[block].setWord(i, word);
                touched[block].setWord(i, ~word);
            }
        }
    }
}
