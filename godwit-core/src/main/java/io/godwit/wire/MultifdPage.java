// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/**
 * A page of a multifd packet. One object per decoder, overwritten by each page: valid until the decoder's next call, and an uncompressed page's
 * data only as long as the input buffer is neither compacted nor refilled.
 */
public final class MultifdPage implements MultifdMessage {
    private int block;
    private long page;
    private boolean zero;
    private boolean compressed;
    private int dataPosition;
    private ByteBuffer buffer = ByteBuffer.allocate(0);

    MultifdPage() {}

    void setZero(int newBlock, long newPage) {
        block = newBlock;
        page = newPage;
        zero = true;
    }

    void set(int newBlock, long newPage, ByteBuffer data, int position, boolean wasCompressed) {
        block = newBlock;
        page = newPage;
        zero = false;
        buffer = data;
        dataPosition = position;
        compressed = wasCompressed;
    }

    /** Index of the block in the table of the decoder. */
    public int block() {
        return block;
    }

    /** Page in the block, inside its length. */
    public long page() {
        return page;
    }

    /** Whether the page is all zero; no data then. To be cleared even if it was not received before. */
    public boolean zero() {
        return zero;
    }

    /** Where the page's {@link Pages#SIZE} bytes are: the input buffer itself, or with compression the decoder's own; not of a zero page. */
    public ByteBuffer buffer() {
        requireData();
        return buffer;
    }

    /** Absolute position of the page's bytes in {@link #buffer}; not of a zero page. */
    public int dataPosition() {
        requireData();
        return dataPosition;
    }

    private void requireData() {
        if (zero) {
            throw new IllegalStateException("a zero page has no data");
        }
    }

    /** Bytes on the wire that belong to this page alone. */
    int size() {
        return zero || compressed ? 0 : Pages.SIZE;
    }

    void write(ByteBuffer out) {
        int n = size();
        if (n > 0) {
            out.put(out.position(), buffer, dataPosition, n).position(out.position() + n);
        }
    }

    @Override
    public String toString() {
        return "MultifdPage[block " + block + " page " + page + (zero ? " zero]" : "]");
    }
}
