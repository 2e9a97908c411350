// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What the decoders of all channels have in common: from bytes to messages, one by one and from any split; the offset in the channel; the first error, which is the last word.
 *
 * @param <M> its messages
 */
abstract sealed class ChannelDecoder<M> permits StreamDecoder, PreemptDecoder, MultifdDecoder, ReturnPathDecoder {
    final Reader reader;
    private long offset;
    private @Nullable WireException failure;

    /** @param channel its name in errors */
    ChannelDecoder(String channel) {
        reader = new Reader(channel);
    }

    /** Bytes consumed so far. */
    public final long offset() {
        return offset;
    }

    /** Bytes were taken, or were nobody's, without a message for them. */
    final void passed(long bytes) {
        offset += bytes;
    }

    /**
     * The next message, or null if more bytes are needed: then those that were left in the buffer are to be offered again with more behind them.
     *
     * @param in big-endian; consumed from its position on. A message may refer to it.
     * @throws WireException if the bytes are not what may stand here; each further call throws the same one
     */
    public final @Nullable M next(ByteBuffer in) throws WireException {
        if (failure != null) {
            throw failure;
        }
        int start = in.position();
        try {
            @Nullable Object before;
            @Nullable M message;
            do {
                before = state();
                reader.begin(in, offset + (in.position() - start));
                message = step(in);
            } while (message == null && !same(before, state()));
            offset += in.position() - start;
            return message;
        } catch (WireException e) {
            failure = e;
            throw e;
        }
    }

    @SuppressWarnings("ReferenceEquality") // an equal one is another state
    private static boolean same(@Nullable Object before, @Nullable Object after) {
        return before == after;
    }

    /** What comes next, the same object as long as it is the same: a step without a message after which something else is due is followed by another. */
    abstract @Nullable Object state();

    /** Takes the next message, or a part of it that means nothing by itself, or returns null and leaves what is not there whole. */
    abstract @Nullable M step(ByteBuffer in) throws WireException;
}
