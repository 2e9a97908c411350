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
import io.godwit.wire.EncodedPage.Encoding;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Page records of one channel and its memory of the last block, which CONTINUE refers to ({@code spec/stream.md §7}). Allocates nothing. */
final class RecordReader {
    private final BlockTable blocks;
    private final PageRecord view;
    private final EncodedPage encoded;
    private boolean xbzrle;
    private boolean compress;
    private boolean postcopy;
    private int lastBlock = -1;

    /** Takes plain pages only. */
    RecordReader(BlockTable blocks, String channel) {
        this.blocks = blocks;
        this.view = new PageRecord(blocks);
        this.encoded = new EncodedPage(blocks, channel);
    }

    /** Takes encoded pages, too. */
    void take(boolean takeXbzrle, boolean takeCompress) {
        xbzrle = takeXbzrle;
        compress = takeCompress;
    }

    /** From here on no encoded page may come. */
    void beginPostcopy() {
        take(false, false);
        postcopy = true;
    }

    /** Reads the record that begins at the reader's place, commits it, and returns it as {@link PageRecord} or {@link EncodedPage}; null if it is not there whole. */
    @Nullable
    StreamMessage read(Reader reader, ByteBuffer in) throws WireException {
        int start = reader.at();
        long word = reader.i64();
        int flags = (int) word & FLAGS;
        int kind = flags & ~FLAG_CONTINUE;
        boolean named = flags == kind;
        if (kind != FLAG_ZERO
                && kind != FLAG_PAGE
                && !(kind == FLAG_XBZRLE && xbzrle)
                && !(kind == FLAG_COMPRESS && compress)) {
            reader.skip(-Long.BYTES);
            throw refuse(reader, flags, postcopy);
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
        int length = length(reader, kind);
        if (length < 0 || !reader.has(length)) {
            return null;
        }
        long page = (word & ~FLAGS) >>> Pages.SHIFT;
        if (page >= blocks.get(block).pages()) {
            reader.skip(start - reader.at());
            throw reader.error("offset 0x" + Long.toHexString(word & ~FLAGS) + " is past the end of block '"
                    + blocks.get(block).name() + "' of "
                    + blocks.get(block).usedLength() + " bytes");
        }
        if (kind == FLAG_ZERO && reader.peek(0) != 0) {
            throw reader.error("a zero page's fill byte is " + reader.peek(0) + ", not 0");
        }
        lastBlock = block;
        if (kind == FLAG_ZERO || kind == FLAG_PAGE) {
            view.set(in, block, page, kind == FLAG_ZERO, named, reader.at());
        } else {
            encoded.set(kind == FLAG_XBZRLE ? Encoding.XBZRLE : Encoding.ZLIB, block, page, named);
            encoded.data(in, reader.at(), length, reader.offset());
        }
        reader.skip(length);
        reader.commit();
        return kind == FLAG_ZERO || kind == FLAG_PAGE ? view : encoded;
    }

    /** See {@link StreamDecoder#following}; after a page with data. */
    int following(ByteBuffer in) {
        long left = blocks.get(view.block()).pages() - view.page() - 1;
        long word = (view.page() + 1) << Pages.SHIFT | FLAG_PAGE | FLAG_CONTINUE;
        int at = in.position();
        int count = 0;
        while (count < left && in.limit() - at >= PageRecord.STRIDE && in.getLong(at) == word) {
            at += PageRecord.STRIDE;
            word += Pages.SIZE;
            count++;
        }
        in.position(at);
        return count;
    }

    /** Bytes of data, after what tells their number was read; -1 if that is not there. */
    private static int length(Reader reader, int kind) throws WireException {
        return switch (kind) {
            case FLAG_ZERO -> 1;
            case FLAG_XBZRLE -> xbzrleLength(reader);
            case FLAG_COMPRESS -> compressLength(reader);
            default -> Pages.SIZE;
        };
    }

    private static int xbzrleLength(Reader reader) throws WireException {
        if (!reader.has(1 + Short.BYTES)) {
            return -1;
        }
        int mark = reader.u8();
        if (mark != WireFormat.XBZRLE_MARK) {
            throw reader.errorBefore(1, "an xbzrle record begins with byte " + mark + ", not 1");
        }
        int length = reader.u16();
        if (length == 0 || length > Encoding.XBZRLE.most()) {
            throw reader.errorBefore(
                    2, "an xbzrle record of " + length + " bytes; it has 1 to " + Encoding.XBZRLE.most());
        }
        return length;
    }

    private static int compressLength(Reader reader) throws WireException {
        if (!reader.has(Integer.BYTES)) {
            return -1;
        }
        long length = reader.u32();
        if (length == 0 || length > Encoding.ZLIB.most()) {
            throw reader.errorBefore(
                    4, "a compressed page of " + length + " bytes; it has 1 to " + Encoding.ZLIB.most());
        }
        return (int) length;
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

    private static WireException refuse(Reader reader, int flags, boolean postcopy) {
        String word = "a record with flags 0x" + Integer.toHexString(flags);
        int kind = flags & ~FLAG_CONTINUE;
        if (postcopy && (kind == FLAG_XBZRLE || kind == FLAG_COMPRESS)) {
            return reader.error(word + ": an encoded page may not come in postcopy");
        }
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
