// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.WireFormat.FLAGS;
import static io.godwit.wire.WireFormat.FLAG_COMPRESS;
import static io.godwit.wire.WireFormat.FLAG_CONTINUE;
import static io.godwit.wire.WireFormat.FLAG_FULL;
import static io.godwit.wire.WireFormat.FLAG_HOOK;
import static io.godwit.wire.WireFormat.FLAG_MULTIFD_FLUSH;
import static io.godwit.wire.WireFormat.FLAG_PAGE;
import static io.godwit.wire.WireFormat.FLAG_XBZRLE;
import static io.godwit.wire.WireFormat.FLAG_ZERO;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Page records of one channel and its memory of the last block, which CONTINUE refers to ({@code spec/stream.md §7}). Allocates nothing. */
final class RecordReader {
    private final BlockTable blocks;
    private final PageRecord view;
    private int lastBlock = -1;

    RecordReader(BlockTable blocks) {
        this.blocks = blocks;
        this.view = new PageRecord(blocks);
    }

    /** Reads the page record that begins at the reader's place, commits it, and returns it; null if it is not there whole. */
    @Nullable
    PageRecord read(Reader reader, ByteBuffer in) throws WireException {
        long word = reader.i64();
        int flags = (int) word & FLAGS;
        boolean zero = (flags & ~FLAG_CONTINUE) == FLAG_ZERO;
        boolean named = (flags & FLAG_CONTINUE) == 0;
        if (!zero && (flags & ~FLAG_CONTINUE) != FLAG_PAGE) {
            reader.skip(-Long.BYTES);
            throw refuse(reader, flags);
        }
        int block = lastBlock;
        if (named) {
            if (!reader.hasStr8()) {
                return null;
            }
            block = block(reader, in);
        } else if (block < 0) {
            throw reader.errorBefore(8, "a record continues the previous block, but none was named on this channel");
        }
        if (!reader.has(zero ? 1 : Pages.SIZE)) {
            return null;
        }
        long page = (word & ~FLAGS) >>> Pages.SHIFT;
        if (page >= blocks.get(block).pages()) {
            reader.skip(named ? -9 - blocks.nameBytes(block).length : -8);
            throw reader.error("offset 0x" + Long.toHexString(word & ~FLAGS) + " is past the end of block '"
                    + blocks.get(block).name() + "' of "
                    + blocks.get(block).usedLength() + " bytes");
        }
        if (zero && reader.peek(0) != 0) {
            throw reader.error("a zero page's fill byte is " + reader.peek(0) + ", not 0");
        }
        view.set(in, block, page, zero, named, reader.at());
        reader.skip(zero ? 1 : Pages.SIZE);
        reader.commit();
        lastBlock = block;
        return view;
    }

    private int block(Reader reader, ByteBuffer in) throws WireException {
        int length = reader.peek(0);
        int block = blocks.indexOf(in, reader.at() + 1, length);
        if (block < 0) {
            reader.skip(1);
            throw reader.error("no RAM block is named '" + shown(in, reader.at(), length) + "'");
        }
        reader.skip(1 + length);
        return block;
    }

    private static WireException refuse(Reader reader, int flags) {
        String word = "a record with flags 0x" + Integer.toHexString(flags);
        int kind = flags & ~FLAG_CONTINUE;
        return switch (kind) {
            case FLAG_XBZRLE -> reader.unsupported(Feature.XBZRLE, word);
            case FLAG_COMPRESS -> reader.unsupported(Feature.COMPRESS, word);
            case FLAG_MULTIFD_FLUSH -> reader.unsupported(Feature.MULTIFD, word);
            case FLAG_HOOK -> reader.unsupported(Feature.RDMA, word);
            case FLAG_FULL -> reader.error(word + " is obsolete");
            default -> reader.error(word + " is none that may stand here");
        };
    }

    /** A peer's bytes as text for an error: everything unprintable as a dot. */
    static String shown(ByteBuffer in, int position, int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            int b = in.get(position + i) & 0xff;
            text.append(b >= 0x20 && b < 0x7f ? (char) b : '.');
        }
        return text.toString();
    }
}
