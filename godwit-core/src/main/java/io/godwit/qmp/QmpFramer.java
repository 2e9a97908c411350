// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a byte stream into JSON texts. QMP's messages need no separator: a message ends with the brace that closes it, and is delivered
 * then. What is no message is delivered in pieces that make one error each, and the stream goes on behind it, as QEMU's server does.
 *
 * <p>It holds at most one message, and never more than {@code maxMessage} bytes of it. For one thread.
 */
public final class QmpFramer {
    /** A piece of the stream. */
    public sealed interface Frame {
        /** What may be a JSON text: its braces and quotes are balanced, or it begins with neither brace nor bracket. */
        @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
        record Text(byte[] utf8) implements Frame {}

        /** What can be none, thrown away; the reason is a sentence. */
        record Bad(String reason) implements Frame {}
    }

    private enum Mode {
        BETWEEN,
        STRUCTURE,
        /** Something that is no object or array. */
        JUNK,
        /** After an error: up to the end of the line. */
        SKIP
    }

    private static final int FIRST_CAPACITY = 512;
    private static final byte RESET = (byte) 0xff;

    private final int maxMessage;
    private byte[] held = new byte[FIRST_CAPACITY];
    private int length;
    private boolean tooLong;
    private Mode mode = Mode.BETWEEN;
    private long depth;
    private byte quote;
    private boolean escaped;

    /** @param maxMessage the longest message in bytes */
    public QmpFramer(int maxMessage) {
        this.maxMessage = maxMessage;
    }

    /** Takes bytes from {@code in} until a piece is whole; null if all bytes are taken and none is. */
    public @Nullable Frame next(ByteBuffer in) {
        while (in.hasRemaining()) {
            byte b = in.get();
            Frame frame = switch (mode) {
                case BETWEEN -> between(in, b);
                case STRUCTURE -> structure(b);
                case JUNK -> junk(in, b);
                case SKIP -> skip(b);
            };
            if (frame != null) {
                return frame;
            }
        }
        return null;
    }

    /** The stream is over: what was begun, or null. */
    public @Nullable Frame end() {
        return switch (mode) {
            case STRUCTURE -> reset(tooLong ? null : new Frame.Bad("the stream ended inside of a message"));
            case JUNK -> whole();
            case BETWEEN, SKIP -> reset(null);
        };
    }

    private @Nullable Frame between(ByteBuffer in, byte b) {
        if (isBlank(b)) {
            return null;
        }
        in.position(in.position() - 1);
        mode = b == '{' || b == '[' ? Mode.STRUCTURE : Mode.JUNK;
        return mode == Mode.JUNK ? keep(in.get()) : null;
    }

    private @Nullable Frame structure(byte b) {
        if (b == RESET || (b >= 0 && b < ' ' && (quote != 0 || !isBlank(b)))) {
            boolean first = !tooLong;
            reset(null);
            // No JSON has these bytes here. A line's end and 0xff, which is never in UTF-8, are where the next message
            // may begin.
            mode = b == '\n' || b == RESET ? Mode.BETWEEN : Mode.SKIP;
            return first ? new Frame.Bad("byte 0x%02x cannot stand inside of a message".formatted(b & 0xff)) : null;
        }
        Frame overflow = keep(b);
        if (quote != 0) {
            inString(b);
        } else if (b == '"' || b == '\'') {
            quote = b;
        } else if (b == '{' || b == '[') {
            depth++;
        } else if (b == '}' || b == ']') {
            depth--;
        }
        if (depth > 0) {
            return overflow;
        }
        Frame whole = whole();
        return overflow != null ? overflow : whole;
    }

    private void inString(byte b) {
        if (escaped) {
            escaped = false;
        } else if (b == '\\') {
            escaped = true;
        } else if (b == quote) {
            quote = 0;
        }
    }

    private @Nullable Frame junk(ByteBuffer in, byte b) {
        if (b == '{' || b == '[') {
            in.position(in.position() - 1);
            return whole();
        }
        return b == '\n' ? whole() : keep(b);
    }

    private @Nullable Frame skip(byte b) {
        if (b == '\n' || b == RESET) {
            mode = Mode.BETWEEN;
        }
        return null;
    }

    /** Holds one more byte; an error once the message is too long, whose rest is then passed over. */
    private @Nullable Frame keep(byte b) {
        if (tooLong) {
            return null;
        }
        if (length == maxMessage) {
            tooLong = true;
            held = new byte[FIRST_CAPACITY];
            length = 0;
            return new Frame.Bad("a message has more than " + maxMessage + " bytes");
        }
        if (length == held.length) {
            held = Arrays.copyOf(held, (int) Math.min(maxMessage, 2L * length));
        }
        held[length++] = b;
        return null;
    }

    private @Nullable Frame whole() {
        return reset(tooLong ? null : new Frame.Text(Arrays.copyOf(held, length)));
    }

    private @Nullable Frame reset(@Nullable Frame frame) {
        if (held.length > FIRST_CAPACITY) {
            held = new byte[FIRST_CAPACITY];
        }
        length = 0;
        tooLong = false;
        mode = Mode.BETWEEN;
        depth = 0;
        quote = 0;
        escaped = false;
        return frame;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    @Override
    public String toString() {
        return mode + " " + new String(held, 0, length, StandardCharsets.UTF_8);
    }
}
