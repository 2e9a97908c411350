// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import io.godwit.page.PageBitmap;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Writes a presence file, {@link PresenceLog}: changes are appended, so a checkpoint costs what has changed, and once more was appended than a fresh file is
 * long, a fresh one takes its place by a rename. The data must have been synced before. One thread at a time.
 */
final class PresenceFile implements AutoCloseable {
    static final String NAME = "presence";
    private static final String NEW = "presence.new";

    /** Appending goes on at least as long as this. */
    private static final long MIN_APPENDED = 256 << 10;

    private final DiskFile file;
    private final Presence presence;
    private final long generation;
    private final ByteBuffer buffer = PresenceLog.buffer();
    private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
    private long end;
    private long rewriteAt;

    private int entryAt;
    private int entryBlock;
    private long nextWord;

    private PresenceFile(DiskFile file, Presence presence, long generation) {
        this.file = file;
        this.presence = presence;
        this.generation = generation;
    }

    /** Replaces the file by one that says that the pages in {@code received} are there, and nothing else. Durable when it returns, unless it throws: then the old one stands, or the new one. */
    static PresenceFile rewrite(
            Disk disk, Path folder, Presence presence, PageBitmap[] received, int attempt, long generation)
            throws DiskException {
        Path fresh = folder.resolve(NEW);
        PresenceFile log = new PresenceFile(disk.openForWriting(fresh), presence, generation);
        boolean done = false;
        try {
            log.file.setSize(0);
            log.header(attempt);
            log.appendChanges(received, null);
            log.file.sync();
            log.rewriteAt = 2 * log.end + MIN_APPENDED;
            disk.rename(fresh, folder.resolve(NAME));
            disk.syncFolder(folder);
            done = true;
            return log;
        } finally {
            if (!done) {
                log.file.close();
            }
        }
    }

    long generation() {
        return generation;
    }

    /** Whether a fresh file would be better than appending on. */
    boolean isLong() {
        return end >= rewriteAt;
    }

    /** Appends the words in which {@code received} differs from the durable bitmaps, and syncs. */
    void append(PageBitmap[] received) throws DiskException {
        long before = end;
        boolean done = false;
        try {
            appendChanges(received, presence);
            if (end != before) {
                file.sync();
            }
            done = true;
        } finally {
            if (!done) {
                end = before;
            }
        }
    }

    private void header(int attempt) throws DiskException {
        buffer.clear()
                .putLong(PresenceLog.MAGIC)
                .putInt(PresenceLog.FORMAT)
                .putInt(attempt)
                .putLong(generation);
        buffer.putLong(XxHash64.hash(segment, 0, 24, 0));
        file.write(buffer.flip(), 0);
        end = PresenceLog.HEADER;
    }

    private void appendChanges(PageBitmap[] received, @Nullable Presence known) throws DiskException {
        beginRecord();
        for (int block = 0; block < received.length; block++) {
            PageBitmap bits = received[block];
            for (int i = 0; i < bits.wordCount(); i++) {
                long word = bits.word(i);
                if (word != (known == null ? 0 : known.durable(block).word(i))) {
                    put(block, i, word, presence.zero(block).word(i) & word);
                }
            }
        }
        endRecord();
    }

    private void beginRecord() {
        buffer.clear().putInt(PresenceLog.RECORD_MAGIC).putInt(0);
        entryAt = -1;
    }

    private void put(int block, long index, long received, long zero) throws DiskException {
        boolean continues = entryAt >= 0 && block == entryBlock && index == nextWord;
        int need = PresenceLog.WORD_BYTES + (continues ? 0 : PresenceLog.ENTRY_HEADER);
        if (buffer.position() + need > PresenceLog.RECORD_HEADER + PresenceLog.MAX_PAYLOAD) {
            endRecord();
            beginRecord();
            continues = false;
        }
        if (!continues) {
            entryAt = buffer.position();
            entryBlock = block;
            buffer.putInt(block).putInt(0).putLong(index);
        }
        buffer.putInt(entryAt + 4, buffer.getInt(entryAt + 4) + 1);
        buffer.putLong(received).putLong(zero);
        nextWord = index + 1;
    }

    private void endRecord() throws DiskException {
        int length = buffer.position();
        if (length == PresenceLog.RECORD_HEADER) {
            return;
        }
        buffer.putInt(4, length - PresenceLog.RECORD_HEADER);
        buffer.putLong(PresenceLog.recordHash(segment, length, generation, end));
        buffer.flip();
        file.write(buffer, end);
        end += length + PresenceLog.HASH;
    }

    @Override
    public void close() throws DiskException {
        file.close();
    }
}
