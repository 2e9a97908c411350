// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.MultifdFormat.COMPRESSION;
import static io.godwit.wire.MultifdFormat.FLAG_DEVICE_STATE;
import static io.godwit.wire.MultifdFormat.FLAG_SYNC;
import static io.godwit.wire.MultifdFormat.MAX_COMPRESSED;
import static io.godwit.wire.MultifdFormat.MAX_PAGES;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What may stand in a packet's header and offset array, {@code spec/multifd.md §2, §3}. Fields that mean nothing in a packet without pages are not
 * looked at there: old sources leave in them what they had before.
 */
final class MultifdPacketCheck {
    private static final int KNOWN_FLAGS = FLAG_SYNC | COMPRESSION;

    private final String channel;
    private final MultifdCompression compression;

    MultifdPacketCheck(String channel, MultifdCompression compression) {
        this.channel = channel;
        this.compression = compression;
    }

    /** The flags of the packet that begins at byte {@code packetAt} of the channel. */
    void flags(int flags, long packetAt) throws WireException {
        if ((flags & FLAG_DEVICE_STATE) != 0) {
            throw new UnsupportedOnWireException(
                    channel, packetAt + MultifdFormat.FLAGS, Feature.DEVICE_STATE, "a packet with " + shown(flags));
        }
        if ((flags & ~KNOWN_FLAGS) != 0) {
            throw wrong(packetAt + MultifdFormat.FLAGS, shown(flags) + " hold bits of no known meaning");
        }
    }

    private static String shown(int flags) {
        return "flags 0x" + Integer.toHexString(flags);
    }

    /** All but magic, version and flags of the packet; finds its block. */
    void rest(MultifdPacket packet, @Nullable BlockTable blocks, long packetAt) throws WireException {
        int room = packet.header().getInt(MultifdFormat.PAGES_ALLOC);
        // The counts are unsigned: each is bounded before it is added to another.
        atMost("pages_alloc", room, MAX_PAGES, packetAt + MultifdFormat.PAGES_ALLOC);
        atMost("normal_pages", packet.normalPages(), room, packetAt + MultifdFormat.NORMAL_PAGES);
        atMost("zero_pages", packet.zeroPages(), room - packet.normalPages(), packetAt + MultifdFormat.ZERO_PAGES);
        if (packet.pages() == 0) {
            packet.setBlock(-1);
            return;
        }
        compressionFits(packet, packetAt);
        if (blocks == null) {
            throw wrong(packetAt + MultifdFormat.NORMAL_PAGES, "pages before the main channel's block list");
        }
        packet.setBlock(block(packet, blocks, packetAt + MultifdFormat.BLOCK_NAME));
        offsets(packet, blocks, packetAt + MultifdFormat.OFFSETS);
        if (packet.normalPages() > 0) {
            dataSize(packet, packetAt + MultifdFormat.NEXT_PACKET_SIZE);
        }
    }

    private void atMost(String field, int count, int most, long at) throws WireException {
        if (Integer.compareUnsigned(count, most) > 0) {
            throw wrong(at, field + " is " + Integer.toUnsignedString(count) + "; at most " + most + " fit");
        }
    }

    private void compressionFits(MultifdPacket packet, long packetAt) throws WireException {
        int bits = packet.flags() & COMPRESSION;
        if (bits != compression.flag()) {
            throw wrong(
                    packetAt + MultifdFormat.FLAGS,
                    "pages with compression " + MultifdCompression.title(bits) + ", but multifd-compression is "
                            + compression.title() + " here: set the same at both ends");
        }
    }

    private int block(MultifdPacket packet, BlockTable blocks, long at) throws WireException {
        ByteBuffer header = packet.header();
        int length = 0;
        while (length < MultifdFormat.BLOCK_NAME_SIZE && header.get(MultifdFormat.BLOCK_NAME + length) != 0) {
            length++;
        }
        if (length == MultifdFormat.BLOCK_NAME_SIZE) {
            throw wrong(at, "the name of a RAM block has no end");
        }
        int block = blocks.indexOf(header, MultifdFormat.BLOCK_NAME, length);
        if (block < 0) {
            throw wrong(
                    at, "no RAM block is named '" + RecordReader.shown(header, MultifdFormat.BLOCK_NAME, length) + "'");
        }
        return block;
    }

    private void offsets(MultifdPacket packet, BlockTable blocks, long firstAt) throws WireException {
        long pages = blocks.get(packet.block()).pages();
        for (int i = 0; i < packet.pages(); i++) {
            long offset = packet.offset(i);
            if ((offset & (Pages.SIZE - 1)) == 0 && offset >>> Pages.SHIFT < pages) {
                continue;
            }
            long at = firstAt + (long) i * Long.BYTES;
            String shown = "offset 0x" + Long.toHexString(offset);
            if ((offset & (Pages.SIZE - 1)) != 0) {
                throw wrong(at, shown + " is no multiple of " + Pages.SIZE);
            }
            throw wrong(
                    at,
                    shown + " is past the end of block '"
                            + blocks.get(packet.block()).name() + "' of "
                            + blocks.get(packet.block()).usedLength() + " bytes");
        }
    }

    private void dataSize(MultifdPacket packet, long at) throws WireException {
        int size = packet.dataSize();
        int all = packet.normalPages() * Pages.SIZE;
        if (compression == MultifdCompression.NONE ? size != all : size < 1 || size > MAX_COMPRESSED) {
            throw wrong(
                    at,
                    "next_packet_size is " + Integer.toUnsignedString(size) + " for " + all + " bytes of pages"
                            + (compression == MultifdCompression.NONE
                                    ? ""
                                    : "; at most " + MAX_COMPRESSED + " are taken"));
        }
    }

    /** An error at byte {@code at} of the channel. */
    WireException wrong(long at, String reason) {
        return new WireException(channel, at, reason);
    }
}
