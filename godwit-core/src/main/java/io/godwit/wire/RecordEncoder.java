// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/**
 * Writes page records of one channel and remembers its last block, so that only a change of block costs the name: layout at {@link PageRecord}.
 * A new connection takes a new encoder or {@link #reset}. Allocates nothing. One thread.
 */
public final class RecordEncoder {
    /** Most bytes of one record with its page. */
    public static final int MAX_RECORD = Long.BYTES + 1 + 255 + Pages.SIZE;

    private final BlockTable blocks;
    private int lastBlock = -1;

    public RecordEncoder(BlockTable blocks) {
        this.blocks = blocks;
    }

    /** Forgets the last block: the next record carries its name. */
    public void reset() {
        lastBlock = -1;
    }

    /** Appends the record of an all-zero page; needs at most {@code MAX_RECORD - 4095} bytes of room. */
    public void zero(ByteBuffer out, int block, long page) {
        word(out, block, page, WireFormat.FLAG_ZERO);
        out.put((byte) 0);
    }

    /** Appends what stands before the page's {@link Pages#SIZE} bytes, which the caller appends; {@link #MAX_RECORD} counts both. */
    public void header(ByteBuffer out, int block, long page) {
        word(out, block, page, WireFormat.FLAG_PAGE);
    }

    /**
     * Writes what stands before the data of neighbours in the block of the last record, {@link PageRecord#STRIDE} bytes from one to the next.
     *
     * @param at of the first one, absolute; the buffer's position does not move
     */
    public void headers(ByteBuffer out, int at, long first, int count) {
        if (lastBlock < 0 || first < 0 || first + count > blocks.get(lastBlock).pages()) {
            throw new IndexOutOfBoundsException("pages " + first + " to " + (first + count) + " of the last block");
        }
        long word = first << Pages.SHIFT | WireFormat.FLAG_PAGE | WireFormat.FLAG_CONTINUE;
        for (int i = 0; i < count; i++) {
            out.putLong(at + i * PageRecord.STRIDE, word + ((long) i << Pages.SHIFT));
        }
    }

    /** Appends what stands before a difference of {@code length} bytes, 1 to 4096, which the caller appends; {@link #MAX_RECORD} counts both if it is shorter than a page by 3. */
    public void xbzrle(ByteBuffer out, int block, long page, int length) {
        word(out, block, page, WireFormat.FLAG_XBZRLE);
        out.put((byte) WireFormat.XBZRLE_MARK).putShort((short) length);
    }

    /** Appends the word that ends a section's body, and a preempt channel of old sources. 8 bytes. */
    public void endOfRecords(ByteBuffer out) {
        out.putLong(WireFormat.FLAG_EOS);
    }

    void word(ByteBuffer out, int block, long page, int kind) {
        if (page < 0 || page >= blocks.get(block).pages()) {
            throw new IndexOutOfBoundsException("page " + page + " of " + blocks.get(block));
        }
        if (block == lastBlock) {
            out.putLong((page << Pages.SHIFT) | kind | WireFormat.FLAG_CONTINUE);
            return;
        }
        byte[] name = blocks.nameBytes(block);
        out.putLong((page << Pages.SHIFT) | kind).put((byte) name.length).put(name);
        lastBlock = block;
    }
}
