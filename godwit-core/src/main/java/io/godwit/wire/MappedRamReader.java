// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.MemSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a mapped-ram file, {@code spec/mapped-ram.md}: {@link #next} gives the messages of its stream, as {@link StreamDecoder} does, and leaves out the areas
 * of the blocks. Once it has given the {@link MemSize}, {@link #bitmap} tells which pages are stored, and {@link #pages} reads them, at any time and in any
 * order; of a file whose writing was broken off the bitmaps hold no page, and {@link #next} ends with an error.
 *
 * <p>One thread. What the file says is checked before anything is allocated by it: a block's bitmap is made only if the file is long enough to hold the
 * block's area.
 */
public final class MappedRamReader {
    /** Reads from the file. */
    public interface Source {
        /**
         * Reads bytes from {@code position} on into {@code into}, at least one if there is any and room.
         *
         * @return the number of bytes, or -1 at or behind the end of the file
         */
        int read(long position, ByteBuffer into) throws IOException;
    }

    private final Source file;
    private final long start;
    private final StreamDecoder decoder;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).flip();
    private @Nullable MemSize list;

    /**
     * @param start position of the stream's first byte in the file
     * @param options the receiver's settings but mapped-ram, which is on
     */
    public MappedRamReader(Source file, long start, StreamLimits limits, DecoderOptions options) {
        this.file = file;
        this.start = start;
        this.decoder = new StreamDecoder(limits, options.withMappedRam(start));
    }

    /** Position in the file behind the last message. */
    public long position() {
        return start + decoder.offset();
    }

    /**
     * The next message, or null at the end of the stream.
     *
     * @throws WireException if the file does not hold what may stand here, or ends too soon; then each further call throws one, too
     * @throws IOException if it cannot be read
     */
    public @Nullable StreamMessage next() throws WireException, IOException {
        while (!decoder.ended()) {
            StreamMessage message = decoder.next(buffer);
            if (message instanceof MemSize read) {
                list = read;
            }
            if (message != null) {
                return message;
            }
            if (decoder.gap() > 0) {
                decoder.jumpGap();
            } else {
                fill();
            }
        }
        return null;
    }

    private void fill() throws WireException, IOException {
        buffer.compact();
        try {
            int n = file.read(start + decoder.offset() + buffer.position(), buffer);
            if (n < 0 && decoder.mayEnd(true)) {
                decoder.nothingFollows();
            } else if (n < 0) {
                throw new WireException(
                        WireException.MAIN,
                        decoder.offset() + buffer.position(),
                        "the file ends here, and at least " + decoder.needed() + " more bytes are due");
            }
        } finally {
            buffer.flip();
        }
    }

    /**
     * Which pages of the block are stored; the others are all zero, whatever stands in their place.
     *
     * @param block index in the {@link MemSize} that was given before
     * @throws WireException if a bit stands for no page, or the file ends before the end of the block's area
     */
    public PageBitmap bitmap(int block) throws WireException, IOException {
        BlockInfo info = block(block).info();
        MappedArea area = area(block);
        ByteBuffer bytes = ByteBuffer.allocate(1 << 14);
        if (file.read(area.position(info.pages()) - 1, bytes.limit(1)) < 1) {
            throw error(area.position(info.pages()) - 1, "the file ends within the pages of '" + info.name() + "'");
        }
        PageBitmap bitmap = new PageBitmap(info.pages());
        for (int word = 0; word < bitmap.wordCount(); ) {
            long position = area.bitmap() + (long) word * Long.BYTES;
            bytes.clear().limit((int) Math.min(bytes.capacity(), (bitmap.wordCount() - (long) word) * Long.BYTES));
            readWhole(position, bytes);
            int taken = bitmap.takeWords(bytes.flip(), word);
            if (taken < 0) {
                throw error(
                        position + bytes.position(), "the bitmap of '" + info.name() + "' has a page past its block");
            }
            word += taken;
        }
        return bitmap;
    }

    /**
     * Appends pages that stand one behind the other to {@code into}, as many as it has whole pages of room for.
     *
     * @throws IndexOutOfBoundsException if they are not all in the block
     * @throws WireException if the file ends within them
     */
    public void pages(int block, long firstPage, ByteBuffer into) throws WireException, IOException {
        BlockInfo info = block(block).info();
        int count = into.remaining() >>> Pages.SHIFT;
        if (firstPage < 0 || firstPage > info.pages() - count) {
            throw new IndexOutOfBoundsException(count + " pages from " + firstPage + " on of " + info);
        }
        int limit = into.limit();
        try {
            readWhole(area(block).position(firstPage), into.limit(into.position() + (count << Pages.SHIFT)));
        } finally {
            into.limit(limit);
        }
    }

    private void readWhole(long from, ByteBuffer into) throws WireException, IOException {
        for (long position = from; into.hasRemaining(); ) {
            int n = file.read(position, into);
            if (n < 0) {
                throw error(position, "the file ends here, and " + into.remaining() + " more bytes are due");
            }
            position += n;
        }
    }

    private WireException error(long position, String reason) {
        return new WireException(WireException.MAIN, position - start, reason);
    }

    private MemSize.Block block(int block) {
        MemSize read = list;
        if (read == null) {
            throw new IllegalStateException("the block list was not read yet");
        }
        return read.blocks().get(block);
    }

    private MappedArea area(int block) {
        return block(block).area().orElseThrow();
    }
}
