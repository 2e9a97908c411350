// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.EndOfRecords;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.SectionEnd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes a mapped-ram file, {@code spec/mapped-ram.md}, the inverse of {@link MappedRamReader}: the stream's messages in their order, the block list by {@link
 * #blocks}, then pages into their places, as often as they change. The bitmaps follow with the end of ram's END: a file whose writing was broken off holds
 * no page. What is never written stays as the file was: a hole in a new one.
 *
 * <p>One thread. The messages of the stream are written as they come; the caller syncs.
 */
public final class MappedRamWriter {
    /** Writes into the file. */
    public interface Target {
        /** Writes all that {@code bytes} has from its position to its limit to {@code position} and the bytes behind it. */
        void write(long position, ByteBuffer bytes) throws IOException;
    }

    private final Target file;
    private final List<PageBitmap> stored = new ArrayList<>();
    private List<MemSize.Block> blocks = List.of();
    private long position;
    private boolean ending;

    /** @param start position of the stream's first byte in the file */
    public MappedRamWriter(Target file, long start) {
        this.file = file;
        this.position = start;
    }

    /** Position in the file at which the stream goes on. */
    public long position() {
        return position;
    }

    /**
     * Appends a message to the stream; the configuration names the capability mapped-ram.
     *
     * @throws IllegalArgumentException if it is one that a mapped-ram file does not hold, or the block list
     */
    public void write(StreamMessage message) throws IOException {
        if (message instanceof PageRecord || message instanceof EncodedPage || message instanceof MemSize) {
            throw new IllegalArgumentException("pages and their list have places of their own in a mapped-ram file");
        }
        if (message instanceof SectionEnd) {
            ending = true;
        }
        if (message instanceof EndOfRecords && ending) {
            ending = false;
            bitmaps();
        }
        append(ByteBuffer.wrap(StreamEncoder.bytes(message)));
    }

    /**
     * Plans where the blocks lie, as QEMU does: the bitmap behind the header, the pages from the next multiple of 1 MiB on; and writes the list.
     *
     * @return the list with the places
     */
    public MemSize blocks(MemSize list) throws IOException {
        if (!blocks.isEmpty()) {
            throw new IllegalStateException("the block list was written already");
        }
        List<MemSize.Block> planned = new ArrayList<>();
        ByteBuffer word = ByteBuffer.allocate(Long.BYTES);
        StreamEncoder.memSizeWord(list, word);
        append(word.flip());
        for (MemSize.Block block : list.blocks()) {
            BlockInfo info = block.info();
            ByteBuffer entry = ByteBuffer.allocate(StreamEncoder.entrySize(block) + MappedArea.HEADER);
            MappedArea area = MappedArea.plan(position + entry.capacity(), info.pages());
            StreamEncoder.entry(block, entry);
            entry.putInt(MappedArea.VERSION)
                    .putLong(Pages.SIZE)
                    .putLong(area.bitmap())
                    .putLong(area.pages());
            append(entry.flip());
            position = area.position(info.pages());
            planned.add(new MemSize.Block(info, block.address(), Optional.of(area)));
            stored.add(new PageBitmap(info.pages()));
        }
        blocks = planned;
        return new MemSize(planned);
    }

    /**
     * Stores pages that follow one another: the whole pages that {@code bytes} has from its position on.
     *
     * @param block index in the list
     */
    public void pages(int block, long firstPage, ByteBuffer bytes) throws IOException {
        int count = bytes.remaining() >>> Pages.SHIFT;
        if (bytes.remaining() % Pages.SIZE != 0 || firstPage < 0 || firstPage > pages(block) - count) {
            throw new IndexOutOfBoundsException(
                    bytes.remaining() + " bytes from page " + firstPage + " on of " + blocks.get(block));
        }
        file.write(blocks.get(block).area().orElseThrow().position(firstPage), bytes);
        stored.get(block).setRange(firstPage, firstPage + count);
    }

    /** The page is all zero now; what was stored of it before counts no longer. */
    public void zero(int block, long page) {
        if (page < 0 || page >= pages(block)) {
            throw new IndexOutOfBoundsException("page " + page + " of " + blocks.get(block));
        }
        stored.get(block).clear(page);
    }

    private long pages(int block) {
        return blocks.get(block).info().pages();
    }

    private void bitmaps() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 14);
        for (int block = 0; block < stored.size(); block++) {
            long at = blocks.get(block).area().orElseThrow().bitmap();
            for (int word = 0; word < stored.get(block).wordCount(); ) {
                int n = stored.get(block).putWords(bytes.clear(), word);
                file.write(at + (long) word * Long.BYTES, bytes.flip());
                word += n;
            }
        }
    }

    private void append(ByteBuffer bytes) throws IOException {
        int n = bytes.remaining();
        file.write(position, bytes);
        position += n;
    }
}
