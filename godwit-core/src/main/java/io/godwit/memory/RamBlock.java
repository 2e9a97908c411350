// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.sys.MappedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * One RAM block as a guest in this JVM touches it. While postcopy runs, an accessor that meets a missing page asks for it and waits; it
 * ends with the page, or with {@link GuestStopRequested} when the guest is asked to stop, and then nothing was read or written. Every store leaves its
 * dirty mark after it.
 *
 * <p>Offsets are bytes from the block's beginning. Words are little-endian and must be naturally aligned, so that none spans two pages
 * ({@link IllegalArgumentException}); an offset outside the block is an {@link IndexOutOfBoundsException}. Any thread may call; accesses of several
 * threads to the same word order themselves as plain memory does.
 */
public final class RamBlock {
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final ValueLayout.OfLong WORDS = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int WORDS_PER_PAGE = Pages.SIZE / Long.BYTES;

    private final int index;
    private final BlockInfo info;
    private final MappedMemory mapped;
    private final MemorySegment ram;
    private final BlockWindows windows;
    private final DirtyCards cards;
    private final FirstTouch firstTouch;
    private final PageBitmap received;
    private final Presence presence;
    private volatile boolean waits;

    /** What a block shares with its memory: how a missing page is waited for. */
    interface Presence {
        void await(int block, long page);
    }

    RamBlock(int index, BlockInfo info, MappedMemory mapped, Arena arena, PageBitmap received, Presence presence) {
        this.index = index;
        this.info = info;
        this.mapped = mapped;
        this.ram = mapped.segment();
        this.windows = new BlockWindows(ram);
        this.cards = new DirtyCards(arena, info.pages());
        this.firstTouch = new FirstTouch(mapped, info.pages());
        this.received = received;
        this.presence = presence;
    }

    public BlockInfo info() {
        return info;
    }

    public String name() {
        return info.name();
    }

    /** Number of pages. */
    public long pages() {
        return info.pages();
    }

    public long getLong(long offset) {
        if (waits) {
            await(offset);
        }
        return (long) LONG.get(ram, offset);
    }

    public void putLong(long offset, long value) {
        if (waits) {
            await(offset);
        }
        LONG.set(ram, offset, value);
        cards.mark(offset);
    }

    public int getInt(long offset) {
        if (waits) {
            await(offset);
        }
        return (int) INT.get(ram, offset);
    }

    public void putInt(long offset, int value) {
        if (waits) {
            await(offset);
        }
        INT.set(ram, offset, value);
        cards.mark(offset);
    }

    public byte getByte(long offset) {
        if (waits) {
            await(offset);
        }
        return (byte) BYTE.get(ram, offset);
    }

    public void putByte(long offset, byte value) {
        if (waits) {
            await(offset);
        }
        BYTE.set(ram, offset, value);
        cards.mark(offset);
    }

    /** Copies a page out; {@code words} has 512 places. */
    public void readPage(long page, long[] words) {
        checkPage(page, words);
        if (waits) {
            await(page << Pages.SHIFT);
        }
        MemorySegment.copy(ram, WORDS, page << Pages.SHIFT, words, 0, WORDS_PER_PAGE);
    }

    /** Replaces a page; {@code words} has 512. Not atomic: who reads meanwhile may see a part of it, and its dirty mark comes last. */
    public void writePage(long page, long[] words) {
        checkPage(page, words);
        if (waits) {
            await(page << Pages.SHIFT);
        }
        MemorySegment.copy(words, 0, ram, WORDS, page << Pages.SHIFT, WORDS_PER_PAGE);
        cards.mark(page << Pages.SHIFT);
    }

    /** Copies bytes out, page after page; when it throws {@link GuestStopRequested}, the first of them may have been copied already. */
    public void read(long offset, byte[] into, int from, int length) {
        Objects.checkFromIndexSize(from, length, into.length);
        read(offset, ByteBuffer.wrap(into, from, length));
    }

    /** Fills the buffer's remaining room with the bytes from {@code offset} on; see {@link #read(long, byte[], int, int)}. */
    public void read(long offset, ByteBuffer into) {
        Objects.checkFromIndexSize(offset, into.remaining(), info.usedLength());
        long at = offset;
        while (into.hasRemaining()) {
            int length = untilPageEnd(at, into.remaining());
            if (waits) {
                await(at);
            }
            windows.read(at, into, length);
            at += length;
        }
    }

    /** Stores bytes, page after page; when it throws {@link GuestStopRequested}, the first of them may have been stored and marked already. */
    public void write(long offset, byte[] bytes, int from, int length) {
        Objects.checkFromIndexSize(from, length, bytes.length);
        write(offset, ByteBuffer.wrap(bytes, from, length));
    }

    /** Stores the buffer's remaining bytes from {@code offset} on; see {@link #write(long, byte[], int, int)}. */
    public void write(long offset, ByteBuffer bytes) {
        Objects.checkFromIndexSize(offset, bytes.remaining(), info.usedLength());
        long at = offset;
        while (bytes.hasRemaining()) {
            int length = untilPageEnd(at, bytes.remaining());
            if (waits) {
                await(at);
            }
            windows.write(at, bytes, bytes.position(), length);
            bytes.position(bytes.position() + length);
            cards.mark(at);
            at += length;
        }
    }

    private static int untilPageEnd(long offset, int length) {
        return Math.min(length, Pages.SIZE - (int) (offset & (Pages.SIZE - 1)));
    }

    private void checkPage(long page, long[] words) {
        Objects.checkIndex(page, info.pages());
        if (words.length != WORDS_PER_PAGE) {
            throw new IllegalArgumentException("a page has " + WORDS_PER_PAGE + " words, not " + words.length);
        }
    }

    private void await(long offset) {
        long page = Objects.checkIndex(offset, info.usedLength()) >>> Pages.SHIFT;
        if (!received.get(page)) {
            presence.await(index, page);
        }
    }

    /** From here on accessors wait for missing pages, or no longer do. Before any guest thread starts, or once nothing is missing. */
    void waitForMissing(boolean on) {
        waits = on;
    }

    MappedMemory mapped() {
        return mapped;
    }

    MemorySegment ram() {
        return ram;
    }

    BlockWindows windows() {
        return windows;
    }

    DirtyCards cards() {
        return cards;
    }

    FirstTouch firstTouch() {
        return firstTouch;
    }

    PageBitmap received() {
        return received;
    }
}
