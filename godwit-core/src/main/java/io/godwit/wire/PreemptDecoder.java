// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.wire.StreamMessage.EndOfRecords;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the preempt channel, {@code spec/sequences.md §7}: {@link PageRecord}s and nothing else, from some sources {@link EndOfRecords} at last. Used
 * as {@link StreamDecoder}. One thread; allocates nothing.
 */
public final class PreemptDecoder extends ChannelDecoder<StreamMessage> {
    private static final EndOfRecords END_OF_RECORDS = new EndOfRecords();

    private final RecordReader records;
    private boolean ended;

    /** A new connection: no block was named on it yet. */
    public PreemptDecoder(BlockTable blocks) {
        super(WireException.PREEMPT);
        this.records = new RecordReader(blocks, WireException.PREEMPT);
    }

    /** As {@link StreamDecoder#needed}. */
    public int needed() {
        return ended ? 0 : Math.max(1, reader.missing());
    }

    /** Whether the source has said that nothing more comes; newer sources do not say so and just close. */
    public boolean ended() {
        return ended;
    }

    @Override
    @Nullable
    Object state() {
        return null; // each step is a message
    }

    @Override
    @Nullable
    StreamMessage step(ByteBuffer in) throws WireException {
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
