// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.wire.StreamMessage.EndOfRecords;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the preempt channel, {@code spec/sequences.md §7}: page records and nothing else, from some sources an end-of-records word at last. Used
 * as {@link StreamDecoder}. One thread; allocates nothing.
 */
public final class PreemptDecoder {
    private static final EndOfRecords END_OF_RECORDS = new EndOfRecords();

    private final Reader reader = new Reader(WireException.PREEMPT);
    private final RecordReader records;
    private long offset;
    private boolean ended;
    private @Nullable WireException failure;

    /** A new connection: no block was named on it yet. */
    public PreemptDecoder(BlockTable blocks) {
        this.records = new RecordReader(blocks, WireException.PREEMPT);
    }

    /** Bytes consumed so far. */
    public long offset() {
        return offset;
    }

    /** As {@link StreamDecoder#needed}. */
    public int needed() {
        return ended ? 0 : Math.max(1, reader.missing());
    }

    /** Whether the source has said that nothing more comes; newer sources do not say so and just close. */
    public boolean ended() {
        return ended;
    }

    /**
     * A {@link PageRecord} or {@link EndOfRecords}, or null if more bytes are needed.
     *
     * @throws WireException if the bytes are not what may stand here
     */
    public @Nullable StreamMessage next(ByteBuffer in) throws WireException {
        if (failure != null) {
            throw failure;
        }
        int start = in.position();
        try {
            reader.begin(in, offset);
            StreamMessage message = read(in);
            offset += in.position() - start;
            return message;
        } catch (WireException e) {
            failure = e;
            throw e;
        }
    }

    private @Nullable StreamMessage read(ByteBuffer in) throws WireException {
        if (ended && in.hasRemaining()) {
            throw reader.error(in.remaining() + " bytes after the end of the channel");
        }
        if (!reader.has(8)) {
            return null;
        }
        if (reader.i64() == WireFormat.FLAG_EOS) {
            reader.commit();
            ended = true;
            return END_OF_RECORDS;
        }
        reader.skip(-8);
        return records.read(reader, in);
    }
}
