// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Reads a presence file, {@link PresenceLog}, as far as it is whole. */
final class PresenceReader {
    private final ByteBuffer buffer = PresenceLog.buffer();
    private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
    private final Presence presence;

    private PresenceReader(Presence presence) {
        this.presence = presence;
    }

    /**
     * Sets received, zero and durable bits by what the file says.
     *
     * @return its generation, or 0 if there is no file of this attempt, and nothing was set
     */
    static long read(DiskFile file, int attempt, Presence presence) throws DiskException {
        return new PresenceReader(presence).read(file, attempt);
    }

    private long read(DiskFile file, int attempt) throws DiskException {
        buffer.clear().limit(PresenceLog.HEADER);
        if (file.read(buffer, 0) < PresenceLog.HEADER
                || buffer.getLong(0) != PresenceLog.MAGIC
                || buffer.getInt(8) != PresenceLog.FORMAT
                || buffer.getInt(12) != attempt
                || buffer.getLong(24) != XxHash64.hash(segment, 0, 24, 0)) {
            return 0;
        }
        long generation = buffer.getLong(16);
        long at = PresenceLog.HEADER;
        int length;
        while ((length = record(file, generation, at)) > 0) {
            at += length;
        }
        return generation;
    }

    /** Applies the record at {@code at}; its length, or 0 if none is there whole. */
    private int record(DiskFile file, long generation, long at) throws DiskException {
        buffer.clear();
        int there = file.read(buffer, at);
        if (there < PresenceLog.RECORD_HEADER + PresenceLog.HASH || buffer.getInt(0) != PresenceLog.RECORD_MAGIC) {
            return 0;
        }
        int payload = buffer.getInt(4);
        if (payload < 0 || payload > there - PresenceLog.RECORD_HEADER - PresenceLog.HASH) {
            return 0;
        }
        int end = PresenceLog.RECORD_HEADER + payload;
        if (buffer.getLong(end) != PresenceLog.recordHash(segment, end, generation, at)) {
            return 0;
        }
        return entries(end) ? end + PresenceLog.HASH : 0;
    }

    private boolean entries(int end) {
        int at = PresenceLog.RECORD_HEADER;
        while (at + PresenceLog.ENTRY_HEADER <= end) {
            int block = buffer.getInt(at);
            int count = buffer.getInt(at + 4);
            long first = buffer.getLong(at + 8);
            at += PresenceLog.ENTRY_HEADER;
            if (block < 0
                    || block >= presence.table().size()
                    || count < 0
                    || count > (end - at) / PresenceLog.WORD_BYTES
                    || first < 0
                    || first > presence.received(block).wordCount() - count) {
                return false;
            }
            for (int i = 0; i < count; i++, at += PresenceLog.WORD_BYTES) {
                long received = buffer.getLong(at);
                presence.received(block).setWord((int) first + i, received);
                presence.durable(block).setWord((int) first + i, received);
                presence.zero(block).setWord((int) first + i, buffer.getLong(at + 8));
            }
        }
        return at == end;
    }
}
