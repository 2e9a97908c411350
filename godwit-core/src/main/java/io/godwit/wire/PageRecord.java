// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/**
 * A page on the main or preempt channel, {@code spec/stream.md §7}:
 *
 * <pre>
 *   u64 offset | ZERO (0x002) or PAGE (0x008) [| CONTINUE (0x020)]
 *   str8 block name          not with CONTINUE
 *   u8 0  or  4096 bytes
 * </pre>
 *
 * <p>One object per decoder, overwritten by each page: valid until the decoder's next call, and {@link #dataPosition} only as long as the input
 * buffer is neither compacted nor refilled.
 */
public final class PageRecord implements StreamMessage {
    /** Bytes of a record that has data and continues the block of the one before it: from one page's data to the next. */
    public static final int STRIDE = Long.BYTES + Pages.SIZE;

    private int block;
    private long page;
    private boolean zero;
    private boolean named;
    private int dataPosition;
    private ByteBuffer input;
    private BlockTable blocks;

    PageRecord(BlockTable blocks) {
        this.blocks = blocks;
        this.input = ByteBuffer.allocate(0);
    }

    void set(ByteBuffer from, int newBlock, long newPage, boolean isZero, boolean isNamed, int position) {
        input = from;
        block = newBlock;
        page = newPage;
        zero = isZero;
        named = isNamed;
        dataPosition = position;
    }

    /** Index of the block in the table of the decoder. */
    public int block() {
        return block;
    }

    /** Page in the block, inside its length. */
    public long page() {
        return page;
    }

    /** Whether the page is all zero; no data then. */
    public boolean zero() {
        return zero;
    }

    /** Whether the record carried its block's name. */
    public boolean named() {
        return named;
    }

    /** Absolute position of the page's {@link Pages#SIZE} bytes in the buffer that was given to the decoder; not of a zero page. */
    public int dataPosition() {
        if (zero) {
            throw new IllegalStateException("a zero page has no data");
        }
        return dataPosition;
    }

    /** Bytes of the record on the wire. */
    int size() {
        return Long.BYTES + (named ? 1 + blocks.nameBytes(block).length : 0) + (zero ? 1 : Pages.SIZE);
    }

    /** Writes the record as it was read. */
    void write(ByteBuffer out) {
        int flags = (zero ? WireFormat.FLAG_ZERO : WireFormat.FLAG_PAGE) | (named ? 0 : WireFormat.FLAG_CONTINUE);
        out.putLong((page << Pages.SHIFT) | flags);
        if (named) {
            byte[] name = blocks.nameBytes(block);
            out.put((byte) name.length).put(name);
        }
        if (zero) {
            out.put((byte) 0);
        } else {
            out.put(out.position(), input, dataPosition, Pages.SIZE).position(out.position() + Pages.SIZE);
        }
    }

    @Override
    public String toString() {
        return "PageRecord[" + blocks.get(block).name() + " page " + page + (zero ? " zero" : "")
                + (named ? " named]" : "]");
    }
}
