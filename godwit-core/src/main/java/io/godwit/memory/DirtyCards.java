// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The dirty marks of one block: a byte per page that a writer sets <em>after</em> its store, always and without looking.
 *
 * <p>Why not "if it is not set": the look may be done before the store has left the processor's store buffer. The sender then clears the mark,
 * copies the page without the store, and the update is lost. A release store after the store cannot be seen before it. The sender, for its part, takes marks by an atomic exchange of
 * eight at a time and only then reads the page: a mark set after the exchange stays for the next time.
 *
 * <p>The marks are never switched off, for the same reason: a writer that has just seen them off may still have a store in flight. It costs about 1 ns per store.
 */
final class DirtyCards {
    private static final VarHandle MARK = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle EIGHT =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    /** Gathers the lowest bits of eight bytes in the highest byte: bit i of it comes from byte i. */
    private static final long GATHER = 0x0102040810204080L;

    private static final long LOWEST_BITS = 0x0101010101010101L;

    private final MemorySegment cards;
    private final int words;

    /** Pages that were ever written; what is not in here and bears no mark holds zeroes and takes no memory. */
    private final PageBitmap touched;

    DirtyCards(Arena arena, long pages) {
        words = Math.toIntExact((pages + 63) >>> 6);
        // Off the heap, so that no collector moves or barriers them; a multiple of 64, so that each bitmap word has all
        // its cards.
        cards = arena.allocate((long) words << 6, 64);
        touched = new PageBitmap(pages);
    }

    /** Marks the page of a byte offset that has just been stored to. */
    void mark(long offset) {
        MARK.setRelease(cards, offset >>> Pages.SHIFT, (byte) 1);
    }

    /** For pages that are stored to without a mark, because nobody shall send them for it. True if nothing is known to have been stored there before. */
    boolean touch(long page) {
        return !touched.get(page) && touched.set(page);
    }

    /** The pages' memory was given back. */
    void untouch(long from, long to) {
        touched.clearRange(from, to);
        for (long page = from; page < to; page++) {
            MARK.setRelease(cards, page, (byte) 0);
        }
    }

    /**
     * Whether nothing was ever stored in the page, so that it holds zeroes and reading it would only make the kernel allocate it. On the thread
     * that harvests, or while nobody does.
     */
    boolean untouched(long page) {
        return (byte) MARK.getAcquire(cards, page) == 0 && !touched.get(page);
    }

    /** Takes all marks and forgets them. */
    void forget() {
        for (int word = 0; word < words; word++) {
            take(word);
        }
    }

    /** Takes all marks and adds them to {@code dirty}; returns how many bits were new there. */
    long harvest(PageBitmap dirty) {
        long added = 0;
        for (int word = 0; word < words; word++) {
            long bits = take(word);
            if (bits != 0) {
                added += Long.bitCount(bits & ~dirty.orWord(word, bits));
            }
        }
        return added;
    }

    private long take(int word) {
        long bits = 0;
        for (int i = 0; i < 8; i++) {
            long at = ((long) word << 6) + (i << 3);
            if ((long) EIGHT.getOpaque(cards, at) != 0) {
                long eight = (long) EIGHT.getAndSet(cards, at, 0L) & LOWEST_BITS;
                bits |= ((eight * GATHER) >>> 56) << (i << 3);
            }
        }
        if (bits != 0) {
            touched.orWord(word, bits);
        }
        return bits;
    }
}
