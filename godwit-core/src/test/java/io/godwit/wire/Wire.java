// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds streams byte by byte, right ones and wrong ones, and decodes them. */
final class Wire {
    static final BlockInfo RAM = BlockInfo.of("pc.ram", 64 * 4096);
    static final BlockInfo ROM = BlockInfo.of("rom", 4096);
    static final BlockTable BLOCKS = new BlockTable(List.of(RAM, ROM));
    static final int RAM_ID = 77;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A stream up to the commands and sections. */
    static Wire afterConfiguration() {
        return new Wire().message(new StreamMessage.Header()).message(StreamMessage.Configuration.of("pc"));
    }

    /** A stream up to the first PART, with {@link #BLOCKS}. */
    static Wire afterStart() {
        return afterConfiguration()
                .message(StreamMessage.SectionStart.ram(RAM_ID))
                .message(StreamMessage.MemSize.of(BLOCKS.list()))
                .endOfSection();
    }

    /** A stream up to the end of the last iterable. */
    static Wire afterEnd() {
        return afterStart().message(new StreamMessage.SectionEnd(RAM_ID)).endOfSection();
    }

    Wire endOfSection() {
        return message(new StreamMessage.EndOfRecords()).message(new StreamMessage.Footer(RAM_ID));
    }

    Wire message(StreamMessage message) {
        return bytes(StreamEncoder.bytes(message));
    }

    Wire bytes(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    Wire u8(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    Wire u16(int value) {
        return bytes(ByteBuffer.allocate(2).putShort((short) value).array());
    }

    Wire u32(long value) {
        return bytes(ByteBuffer.allocate(4).putInt((int) value).array());
    }

    Wire u64(long value) {
        return bytes(ByteBuffer.allocate(8).putLong(value).array());
    }

    Wire str8(String text) {
        return u8(text.getBytes(UTF_8).length).bytes(text.getBytes(UTF_8));
    }

    Wire zeros(int count) {
        return bytes(new byte[count]);
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    int size() {
        return out.size();
    }

    /** Decodes everything with a new decoder; what remains waits for more. Pages are given as text. */
    List<Object> decode(DecoderOptions options) throws WireException {
        return decode(new StreamDecoder(StreamLimits.DEFAULT, options));
    }

    List<Object> decode(StreamDecoder decoder) throws WireException {
        List<Object> messages = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(toBytes());
        for (StreamMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
            messages.add(m instanceof PageRecord page ? page.toString() : m);
        }
        return messages;
    }

    /** The error that decoding ends with. */
    WireException refusal(StreamDecoder decoder) {
        @Nullable WireException refusal = null;
        try {
            decode(decoder);
        } catch (WireException e) {
            refusal = e;
        }
        if (refusal == null) {
            throw new AssertionError("the decoder took it");
        }
        return refusal;
    }

    WireException refusal() {
        return refusal(new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN));
    }
}
