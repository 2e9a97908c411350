// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.MultifdFormat.PACKET_SIZE;

import java.nio.ByteBuffer;

/**
 * Header and offset array of a multifd packet, {@code spec/multifd.md §2}:
 *
 * <pre>
 *     0  u32 0x11223344      4  u32 1              8  u32 flags           12  u32 pages_alloc
 *    16  u32 normal_pages   20  u32 next size     24  u64 packet number   32  u32 zero_pages   36  28 reserved
 *    64  256 bytes: name of the block, ended and filled up with NUL
 *   320  128 * u64: offsets of the pages with data, then of the zero pages
 *  1344  normal_pages * 4096 bytes, or next size compressed ones; nothing if normal_pages is 0, whatever next size says
 * </pre>
 *
 * <p>QEMU 7.2 leaves bytes of earlier packets behind the name and the last offset, and in name and next size of packets without pages. They
 * mean nothing, but are kept, so that {@link MultifdEncoder#write} gives the same bytes again.
 *
 * <p>One object per decoder, overwritten by each packet: valid until the decoder has given the packet's last page.
 */
public final class MultifdPacket implements MultifdMessage {
    private final ByteBuffer header = ByteBuffer.allocate(PACKET_SIZE);
    private final ByteBuffer compressed;
    private int block = -1;

    /** @param compressed where the decoder collects compressed data, from 0 to the limit; of no capacity if nothing is compressed */
    MultifdPacket(ByteBuffer compressed) {
        this.compressed = compressed;
    }

    ByteBuffer header() {
        return header;
    }

    void setBlock(int index) {
        block = index;
    }

    int flags() {
        return header.getInt(MultifdFormat.FLAGS);
    }

    /** Index in the decoder's table of the block that all pages of the packet belong to; -1 if it has none. */
    public int block() {
        return block;
    }

    /** Counter over all channels of the source, from 0; packets of different channels come in any order. */
    public long number() {
        return header.getLong(MultifdFormat.PACKET_NUMBER);
    }

    /** Whether a {@link MultifdMessage.Sync} follows the pages. */
    public boolean sync() {
        return (flags() & MultifdFormat.FLAG_SYNC) != 0;
    }

    /** Pages whose data follows, at most 128 together with {@link #zeroPages}. */
    public int normalPages() {
        return header.getInt(MultifdFormat.NORMAL_PAGES);
    }

    /** Pages that are all zero; none from sources with machine types before 9.0. */
    public int zeroPages() {
        return header.getInt(MultifdFormat.ZERO_PAGES);
    }

    /** All pages of the packet. */
    public int pages() {
        return normalPages() + zeroPages();
    }

    /** Bytes behind the offset array. */
    public int dataSize() {
        return normalPages() == 0 ? 0 : header.getInt(MultifdFormat.NEXT_PACKET_SIZE);
    }

    /** Offset in the block of page {@code i}, bytes; those with data come first. */
    long offset(int i) {
        return header.getLong(MultifdFormat.OFFSETS + i * Long.BYTES);
    }

    private boolean isCompressed() {
        return (flags() & MultifdFormat.COMPRESSION) != 0;
    }

    /** Bytes of header, offset array and compressed data; uncompressed data is counted and written by its pages. */
    int size() {
        return PACKET_SIZE + (isCompressed() ? dataSize() : 0);
    }

    void write(ByteBuffer out) {
        out.put(header.array());
        if (isCompressed()) {
            int n = dataSize();
            out.put(out.position(), compressed, 0, n).position(out.position() + n);
        }
    }

    @Override
    public String toString() {
        return "MultifdPacket[" + number() + ": " + normalPages() + " pages of " + dataSize() + " bytes, " + zeroPages()
                + " zero" + (sync() ? ", sync]" : "]");
    }
}
