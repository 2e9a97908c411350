// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/**
 * A page on the main channel that is not there as such, {@code spec/stream.md §7, §7.3}: the difference to what the receiver has of it, or its
 * zlib stream. Only in precopy.
 *
 * <pre>
 *   u64 offset | XBZRLE (0x040) or COMPRESS_PAGE (0x100) [| CONTINUE (0x020)]
 *   str8 block name          not with CONTINUE
 *   u8 1, u16 n, n bytes     XBZRLE, n from 1 to 4096
 *   u32 n, n bytes           COMPRESS_PAGE, n from 1 to {@link Encoding#ZLIB}'s most
 * </pre>
 *
 * <p>{@link Xbzrle} and {@link PageInflater} make a page of it. One object per decoder, overwritten by each such record, as {@link PageRecord}.
 */
public final class EncodedPage implements StreamMessage {
    /** How the page was encoded. */
    public enum Encoding {
        /** A difference: {@link Xbzrle}. */
        XBZRLE(Pages.SIZE),
        /** A complete zlib stream: {@link PageInflater}. */
        ZLIB(Pages.SIZE + (Pages.SIZE >> 12) + (Pages.SIZE >> 14) + 13);

        private final int most;

        Encoding(int most) {
            this.most = most;
        }

        /** Most bytes of data in one record; zlib never needs more for a page that cannot be compressed. */
        public int most() {
            return most;
        }
    }

    private final BlockTable blocks;
    private final String channel;
    private Encoding encoding = Encoding.XBZRLE;
    private int block;
    private long page;
    private boolean named;
    private int dataPosition;
    private int dataLength;
    private long dataOffset;
    private ByteBuffer input = ByteBuffer.allocate(0);

    EncodedPage(BlockTable blocks, String channel) {
        this.blocks = blocks;
        this.channel = channel;
    }

    void set(Encoding newEncoding, int newBlock, long newPage, boolean isNamed) {
        encoding = newEncoding;
        block = newBlock;
        page = newPage;
        named = isNamed;
    }

    /** @param offset of the data in the channel */
    void data(ByteBuffer from, int position, int length, long offset) {
        input = from;
        dataPosition = position;
        dataLength = length;
        dataOffset = offset;
    }

    public Encoding encoding() {
        return encoding;
    }

    /** Index of the block in the table of the decoder. */
    public int block() {
        return block;
    }

    /** Page in the block, inside its length. */
    public long page() {
        return page;
    }

    /** Whether the record carried its block's name. */
    public boolean named() {
        return named;
    }

    /** Absolute position of the {@link #dataLength} bytes in the buffer that was given to the decoder, as long as that is neither compacted nor refilled. */
    public int dataPosition() {
        return dataPosition;
    }

    /** Bytes of data, 1 to the encoding's {@link Encoding#most}. */
    public int dataLength() {
        return dataLength;
    }

    ByteBuffer input() {
        return input;
    }

    /** An error at byte {@code at} of the data. */
    public WireException error(int at, String reason) {
        return new WireException(
                channel,
                dataOffset + at,
                reason + " (page " + page + " of '" + blocks.get(block).name() + "')");
    }

    /** Bytes of the record on the wire. */
    int size() {
        int length = encoding == Encoding.XBZRLE ? 1 + Short.BYTES : Integer.BYTES;
        return Long.BYTES + (named ? 1 + blocks.nameBytes(block).length : 0) + length + dataLength;
    }

    /** Writes the record as it was read. */
    void write(ByteBuffer out) {
        int flags = (encoding == Encoding.XBZRLE ? WireFormat.FLAG_XBZRLE : WireFormat.FLAG_COMPRESS)
                | (named ? 0 : WireFormat.FLAG_CONTINUE);
        out.putLong((page << Pages.SHIFT) | flags);
        if (named) {
            byte[] name = blocks.nameBytes(block);
            out.put((byte) name.length).put(name);
        }
        if (encoding == Encoding.XBZRLE) {
            out.put((byte) WireFormat.XBZRLE_MARK).putShort((short) dataLength);
        } else {
            out.putInt(dataLength);
        }
        out.put(out.position(), input, dataPosition, dataLength).position(out.position() + dataLength);
    }

    @Override
    public String toString() {
        return "EncodedPage[" + blocks.get(block).name() + " page " + page + " " + encoding + " " + dataLength
                + " bytes" + (named ? " named]" : "]");
    }
}
