// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

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

/** Writes messages of the return path, the inverse of {@link ReturnPathDecoder}. The buffers are big-endian. */
public final class ReturnPathEncoder {
    private final BlockTable blocks;

    /** @param blocks what the index in {@link RecvBitmap} refers to */
    public ReturnPathEncoder(BlockTable blocks) {
        this.blocks = blocks;
    }

    /** Bytes that {@link #write} will write. */
    public int size(ReturnPathMessage message) {
        int payload = switch (message) {
            case Shut _, Pong _, ResumeAck _ -> 4;
            case ReqPagesId request -> ReturnPathFormat.REQUEST + WireFormat.str8Size(request.block());
            case ReqPages _ -> ReturnPathFormat.REQUEST;
            case RecvBitmap answer -> Math.toIntExact(bitmapSize(answer));
            case SwitchoverAck _ -> 0;
        };
        return ReturnPathFormat.HEADER + payload;
    }

    private long bitmapSize(RecvBitmap answer) {
        long pages = blocks.get(answer.block()).pages();
        return 1L + blocks.nameBytes(answer.block()).length + 8 + ReturnPathFormat.bitmapBytes(pages) + 8;
    }

    /**
     * Appends the message to {@code out}, which has {@link #size} bytes of room. Long bitmaps may go through a {@link BitmapWriter} instead.
     */
    public void write(ReturnPathMessage message, ByteBuffer out) {
        switch (message) {
            case Shut shut -> header(out, ReturnPathFormat.SHUT, 4).putInt(shut.status());
            case Pong pong -> header(out, ReturnPathFormat.PONG, 4).putInt(pong.value());
            case ReqPagesId request -> {
                int length = ReturnPathFormat.REQUEST + WireFormat.str8Size(request.block());
                header(out, ReturnPathFormat.REQ_PAGES_ID, length)
                        .putLong(request.offset())
                        .putInt(request.length());
                StreamEncoder.str8(request.block(), out);
            }
            case ReqPages request ->
                header(out, ReturnPathFormat.REQ_PAGES, ReturnPathFormat.REQUEST)
                        .putLong(request.offset())
                        .putInt(request.length());
            case RecvBitmap answer -> {
                if (!bitmap(answer).write(out)) {
                    throw new java.nio.BufferOverflowException();
                }
            }
            case ResumeAck ack -> header(out, ReturnPathFormat.RESUME_ACK, 4).putInt(ack.value());
            case SwitchoverAck _ -> header(out, ReturnPathFormat.SWITCHOVER_ACK, 0);
        }
    }

    /** The message in an array of its own. */
    public byte[] bytes(ReturnPathMessage message) {
        ByteBuffer out = ByteBuffer.allocate(size(message));
        write(message, out);
        return out.array();
    }

    /** Writes the message bit by bit: a terabyte of RAM has a bitmap of 32 MiB. */
    public BitmapWriter bitmap(RecvBitmap answer) {
        if (answer.bitmap().pages() != blocks.get(answer.block()).pages()) {
            throw new IllegalArgumentException(
                    "a bitmap of " + answer.bitmap().pages() + " pages for " + blocks.get(answer.block()));
        }
        return new BitmapWriter(blocks.nameBytes(answer.block()), answer.bitmap());
    }

    static ByteBuffer header(ByteBuffer out, int type, int length) {
        return out.putShort((short) type).putShort((short) length);
    }

    /** One RECV_BITMAP message in as many pieces as there are buffers. One thread. */
    public static final class BitmapWriter {
        private final byte[] name;
        private final PageBitmap bitmap;
        private boolean begun;
        private int words;
        private boolean complete;

        private BitmapWriter(byte[] name, PageBitmap bitmap) {
            this.name = name;
            this.bitmap = bitmap;
        }

        /**
         * Appends as much as {@code out} has room for, at least 512 bytes for the first piece and 8 for each further one.
         *
         * @return true once the message is complete
         */
        public boolean write(ByteBuffer out) {
            int head = ReturnPathFormat.HEADER + 1 + name.length + 8;
            if (!begun && out.remaining() >= head) {
                header(out, ReturnPathFormat.RECV_BITMAP, 1 + name.length)
                        .put((byte) name.length)
                        .put(name)
                        .putLong(ReturnPathFormat.bitmapBytes(bitmap.pages()));
                begun = true;
            }
            if (begun && !complete) {
                words += bitmap.putWords(out, words);
                if (words == bitmap.wordCount() && out.remaining() >= 8) {
                    out.putLong(ReturnPathFormat.BITMAP_TRAILER);
                    complete = true;
                }
            }
            return complete;
        }
    }
}
