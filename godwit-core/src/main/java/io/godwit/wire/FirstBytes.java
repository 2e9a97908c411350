// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Judges an unknown connection by its first bytes, which stay unconsumed. The five that Godwit can meet are told apart by the first byte. */
public final class FirstBytes {
    /** Bytes after which the verdict is never {@link Kind#NEED_MORE}. */
    public static final int ENOUGH = Long.BYTES + 1 + 255;

    /** A block has at most 2^48 bytes: the two highest bytes of a record's word are 0. */
    private static final int WORD_ZEROES = 2;

    private FirstBytes() {}

    /** What the connection seems to be. */
    public enum Kind {
        /** Not decided yet; nothing speaks against any kind so far. */
        NEED_MORE,
        /** {@code "QEVM"}: a migration's main channel. */
        MAIN_HEADER,
        /** RECV_BITMAP or POSTCOPY_RESUME: the main channel of a recovery, {@code spec/sequences.md §6.2}. */
        RECOVERY_COMMAND,
        /** A multifd channel. */
        MULTIFD_MAGIC,
        /** A named page record, as a preempt channel begins. */
        MAYBE_PAGE_RECORD,
        /** An end-of-records word: a preempt channel that ends unused, as sources with machine types up to 7.2 end it. */
        PREEMPT_END,
        /** None of these. */
        FOREIGN
    }

    /**
     * Judges the bytes from the buffer's position to its limit; consumes nothing.
     *
     * @param peeked big-endian
     * @param blocks the blocks that a page record or RECV_BITMAP may name; null if not known
     */
    public static Kind classify(ByteBuffer peeked, @Nullable BlockTable blocks) {
        if (!peeked.hasRemaining()) {
            return Kind.NEED_MORE;
        }
        return switch (peeked.get(peeked.position())) {
            case WireFormat.MAGIC >>> 24 -> magic(peeked, WireFormat.MAGIC, Kind.MAIN_HEADER);
            case MultifdFormat.MAGIC >>> 24 -> magic(peeked, MultifdFormat.MAGIC, Kind.MULTIFD_MAGIC);
            case WireFormat.COMMAND -> command(peeked, blocks);
            case 0 -> pageRecord(peeked, blocks);
            default -> Kind.FOREIGN;
        };
    }

    private static Kind magic(ByteBuffer in, int magic, Kind kind) {
        for (int i = 0; i < 4; i++) {
            if (i == in.remaining()) {
                return Kind.NEED_MORE;
            }
            if (in.get(in.position() + i) != (byte) (magic >>> (24 - 8 * i))) {
                return Kind.FOREIGN;
            }
        }
        return kind;
    }

    private static Kind command(ByteBuffer in, @Nullable BlockTable blocks) {
        int at = in.position();
        int there = in.remaining();
        if (there >= 2 && in.get(at + 1) != 0) {
            return Kind.FOREIGN;
        }
        if (there < 3) {
            return Kind.NEED_MORE;
        }
        int code = in.get(at + 2);
        if (code != WireFormat.POSTCOPY_RESUME && code != WireFormat.RECV_BITMAP) {
            return Kind.FOREIGN;
        }
        if (there < 5) {
            return Kind.NEED_MORE;
        }
        int length = in.getShort(at + 3) & 0xffff;
        if (!CommandReader.lengthFits(code, length)) {
            return Kind.FOREIGN;
        }
        if (code == WireFormat.POSTCOPY_RESUME) {
            return Kind.RECOVERY_COMMAND;
        }
        if (there < 6) {
            return Kind.NEED_MORE;
        }
        if ((in.get(at + 5) & 0xff) != length - 1) {
            return Kind.FOREIGN;
        }
        return name(in, at + 5, blocks) == Named.YES ? Kind.RECOVERY_COMMAND : pending(name(in, at + 5, blocks));
    }

    private static Kind pageRecord(ByteBuffer in, @Nullable BlockTable blocks) {
        int at = in.position();
        for (int i = 0; i < Math.min(WORD_ZEROES, in.remaining()); i++) {
            if (in.get(at + i) != 0) {
                return Kind.FOREIGN;
            }
        }
        if (in.remaining() < 8) {
            return Kind.NEED_MORE;
        }
        long word = in.getLong(at);
        if (word == WireFormat.FLAG_EOS) {
            return Kind.PREEMPT_END;
        }
        int flags = (int) word & WireFormat.FLAGS;
        if (flags != WireFormat.FLAG_ZERO && flags != WireFormat.FLAG_PAGE) {
            return Kind.FOREIGN;
        }
        Named named = name(in, at + 8, blocks);
        if (named != Named.YES) {
            return pending(named);
        }
        if (blocks != null) {
            int block = blocks.indexOf(in, at + 9, in.get(at + 8) & 0xff);
            if (word >>> Pages.SHIFT >= blocks.get(block).pages()) {
                return Kind.FOREIGN;
            }
        }
        return Kind.MAYBE_PAGE_RECORD;
    }

    private enum Named {
        YES,
        NO,
        MORE
    }

    private static Kind pending(Named named) {
        return named == Named.MORE ? Kind.NEED_MORE : Kind.FOREIGN;
    }

    /** Whether a block's name stands at {@code at} as str8. */
    private static Named name(ByteBuffer in, int at, @Nullable BlockTable blocks) {
        if (at >= in.limit()) {
            return Named.MORE;
        }
        int n = in.get(at) & 0xff;
        if (n == 0) {
            return Named.NO;
        }
        if (at + 1 + n > in.limit()) {
            return Named.MORE;
        }
        return blocks == null || blocks.indexOf(in, at + 1, n) >= 0 ? Named.YES : Named.NO;
    }
}
