// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads one message from a buffer without moving the buffer's position until {@link #commit}: what is not there whole stays where it is. Every
 * read must be covered by a {@link #has} before it. Knows the offset in the channel for errors. One thread.
 */
final class Reader {
    private String channel;
    private ByteBuffer in = ByteBuffer.allocate(0);
    private long base;
    private int at;
    private int missing;

    Reader(String channel) {
        this.channel = channel;
    }

    /** The channel's name in errors, now that it is known better. */
    void rename(String name) {
        channel = name;
    }

    /** Starts at the buffer's position, which is byte {@code offset} of the channel. */
    void begin(ByteBuffer buffer, long offset) {
        if (buffer.order() != ByteOrder.BIG_ENDIAN) {
            throw new IllegalArgumentException("the stream is big-endian, so must be the buffer's order");
        }
        in = buffer;
        at = buffer.position();
        base = offset - at;
        missing = 0;
    }

    /** Whether {@code n} bytes are there; if not, {@link #missing} tells how many are not. */
    boolean has(int n) {
        int there = in.limit() - at;
        missing = n > there ? n - there : 0;
        return missing == 0;
    }

    int missing() {
        return missing;
    }

    void setMissing(int bytes) {
        missing = bytes;
    }

    int available() {
        return in.limit() - at;
    }

    /** Absolute position of the next byte. */
    int at() {
        return at;
    }

    void skip(int n) {
        at += n;
    }

    int peek(int ahead) {
        return in.get(at + ahead) & 0xff;
    }

    int u8() {
        return in.get(at++) & 0xff;
    }

    int u16() {
        at += 2;
        return in.getShort(at - 2) & 0xffff;
    }

    int i32() {
        at += 4;
        return in.getInt(at - 4);
    }

    long u32() {
        return i32() & 0xffffffffL;
    }

    long i64() {
        at += 8;
        return in.getLong(at - 8);
    }

    /** {@code n} bytes as text; names on the wire are UTF-8 without control characters. */
    String text(int n, String what) throws WireException {
        byte[] bytes = new byte[n];
        in.get(at, bytes);
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw error(what + " is not UTF-8");
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw error(what + " holds a control character");
        }
        at += n;
        return text;
    }

    /** Whether a whole str8 is there. */
    boolean hasStr8() {
        return has(1) && has(1 + peek(0));
    }

    /** A str8 of at least one byte. */
    String str8(String what) throws WireException {
        int n = u8();
        if (n == 0) {
            at--;
            throw error(what + " is empty");
        }
        return text(n, what);
    }

    /** What was read so far is consumed. */
    void commit() {
        in.position(at);
    }

    /** An error at the next byte. */
    WireException error(String reason) {
        return new WireException(channel, offset(), reason);
    }

    /** An error {@code back} bytes before the next one. */
    WireException errorBefore(int back, String reason) {
        return new WireException(channel, offset() - back, reason);
    }

    UnsupportedOnWireException unsupported(UnsupportedOnWireException.Feature feature, String where) {
        return new UnsupportedOnWireException(channel, offset(), feature, where);
    }

    /** Offset of the next byte in the channel. */
    long offset() {
        return base + at;
    }
}
