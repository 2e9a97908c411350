// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.wire.ReturnPathMessage.Pong;
import io.godwit.wire.ReturnPathMessage.RecvBitmap;
import io.godwit.wire.ReturnPathMessage.ReqPages;
import io.godwit.wire.ReturnPathMessage.ReqPagesId;
import io.godwit.wire.ReturnPathMessage.ResumeAck;
import io.godwit.wire.ReturnPathMessage.Shut;
import io.godwit.wire.ReturnPathMessage.SwitchoverAck;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the return path at the source, {@code spec/return-path.md §2–§4}. Used as {@link StreamDecoder}: {@link #next} takes one message or
 * returns null. A received bitmap goes into its {@link PageBitmap} as it arrives; its size is compared with the block's own before anything is
 * allocated. Page requests are checked for block, alignment and bounds. One thread, one connection.
 */
public final class ReturnPathDecoder extends ChannelDecoder<ReturnPathMessage> {
    /** Capacity in bytes that an input buffer needs at least. */
    public static final int MIN_BUFFER = 1024;

    private final BlockTable blocks;
    private int lastBlock = -1;
    private int bitmapBlock;
    private @Nullable PageBitmap bitmap;
    private int words;

    public ReturnPathDecoder(BlockTable blocks) {
        super(WireException.RETURN_PATH);
        this.blocks = blocks;
    }

    /** As {@link StreamDecoder#needed}. */
    public int needed() {
        return Math.max(1, reader.missing());
    }

    /** Index of the block that a {@link ReqPages} means, that of the last {@link ReqPagesId}; -1 before one. */
    public int lastBlock() {
        return lastBlock;
    }

    @Override
    @Nullable
    Object state() {
        return bitmap;
    }

    @Override
    @Nullable
    ReturnPathMessage step(ByteBuffer in) throws WireException {
        return bitmap == null ? message() : bitmap(in, bitmap);
    }

    private @Nullable ReturnPathMessage message() throws WireException {
        if (!reader.has(ReturnPathFormat.HEADER)) {
            return null;
        }
        int type = reader.u16();
        int length = reader.u16();
        if (type == 0 || type > ReturnPathFormat.SWITCHOVER_ACK) {
            throw reader.errorBefore(4, "unknown message " + type);
        }
        if (!lengthFits(type, length)) {
            throw reader.errorBefore(2, "message " + type + " with a payload of " + length + " bytes");
        }
        if (!reader.has(length + (type == ReturnPathFormat.RECV_BITMAP ? 8 : 0))) {
            return null;
        }
        ReturnPathMessage message = switch (type) {
            case ReturnPathFormat.SHUT -> new Shut(reader.i32());
            case ReturnPathFormat.PONG -> new Pong(reader.i32());
            case ReturnPathFormat.REQ_PAGES_ID -> requestWithName(length);
            case ReturnPathFormat.REQ_PAGES -> request();
            case ReturnPathFormat.RECV_BITMAP -> beginBitmap(length);
            case ReturnPathFormat.RESUME_ACK -> new ResumeAck(reader.i32());
            default -> new SwitchoverAck();
        };
        reader.commit();
        return message;
    }

    private static boolean lengthFits(int type, int length) {
        return switch (type) {
            case ReturnPathFormat.SHUT, ReturnPathFormat.PONG, ReturnPathFormat.RESUME_ACK -> length == 4;
            case ReturnPathFormat.REQ_PAGES -> length == ReturnPathFormat.REQUEST;
            case ReturnPathFormat.REQ_PAGES_ID ->
                length >= ReturnPathFormat.REQUEST + 2 && length <= ReturnPathFormat.REQUEST + 256;
            case ReturnPathFormat.RECV_BITMAP -> length >= 2 && length <= 256;
            default -> length == 0;
        };
    }

    private ReqPagesId requestWithName(int length) throws WireException {
        reader.skip(ReturnPathFormat.REQUEST);
        int block = block(length - ReturnPathFormat.REQUEST);
        reader.skip(-length);
        ReqPages request = request(block);
        reader.skip(length - ReturnPathFormat.REQUEST);
        lastBlock = block;
        return new ReqPagesId(blocks.get(block).name(), request.offset(), request.length());
    }

    private ReqPages request() throws WireException {
        if (lastBlock < 0) {
            throw reader.error("REQ_PAGES, but no REQ_PAGES_ID has named a block on this connection");
        }
        return request(lastBlock);
    }

    private ReqPages request(int index) throws WireException {
        BlockInfo block = blocks.get(index);
        long start = reader.i64();
        long length = reader.u32();
        boolean aligned = start % block.pageSize() == 0 && length % block.pageSize() == 0;
        boolean inside = start >= 0 && length > 0 && start <= block.usedLength() - length;
        if (!aligned || !inside || length > Integer.MAX_VALUE) {
            throw reader.errorBefore(
                    ReturnPathFormat.REQUEST,
                    "a request for " + length + " bytes at 0x" + Long.toHexString(start) + " of block '" + block.name()
                            + "', which is not of whole pages inside its " + block.usedLength() + " bytes");
        }
        return new ReqPages(start, (int) length);
    }

    /** A str8 that fills the rest of the payload and names a block; its index. */
    private int block(int room) throws WireException {
        if (reader.peek(0) != room - 1) {
            throw reader.error(
                    "a block name of " + reader.peek(0) + " bytes in a payload with " + (room - 1) + " left for it");
        }
        String name = reader.str8("a RAM block's name");
        int block = blocks.indexOf(name);
        if (block < 0) {
            throw reader.errorBefore(room - 1, "no RAM block is named '" + name + "'");
        }
        return block;
    }

    private @Nullable ReturnPathMessage beginBitmap(int length) throws WireException {
        int block = block(length);
        long pages = blocks.get(block).pages();
        long size = reader.i64();
        if (size != ReturnPathFormat.bitmapBytes(pages)) {
            throw reader.errorBefore(
                    8,
                    "a bitmap of " + Long.toUnsignedString(size) + " bytes for block '"
                            + blocks.get(block).name() + "', whose " + pages + " pages take "
                            + ReturnPathFormat.bitmapBytes(pages));
        }
        bitmapBlock = block;
        bitmap = new PageBitmap(pages);
        words = 0;
        return null;
    }

    private @Nullable ReturnPathMessage bitmap(ByteBuffer in, PageBitmap into) throws WireException {
        int taken = into.takeWords(in, words);
        if (taken < 0) {
            reader.skip(in.position() - reader.at());
            throw reader.error(
                    "the bitmap of block '" + blocks.get(bitmapBlock).name() + "' has bits past its last page");
        }
        words += taken;
        reader.skip(in.position() - reader.at());
        if (!reader.has(8)) {
            return null;
        }
        long trailer = reader.i64();
        if (trailer != ReturnPathFormat.BITMAP_TRAILER) {
            throw reader.errorBefore(
                    8,
                    "the bitmap of block '" + blocks.get(bitmapBlock).name() + "' ends with 0x"
                            + Long.toHexString(trailer) + ", not with 0x"
                            + Long.toHexString(ReturnPathFormat.BITMAP_TRAILER));
        }
        reader.commit();
        bitmap = null;
        return new RecvBitmap(bitmapBlock, into);
    }
}
