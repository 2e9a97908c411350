// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Hands bytes to a decoder through a buffer, in pieces, as a socket would. */
final class Feed {
    /** Sizes of the pieces. */
    interface Pieces {
        int next(int at, int total);

        static Pieces of(int size) {
            return (at, total) -> size;
        }

        static Pieces random(Random random, int most) {
            return (at, total) -> 1 + random.nextInt(most);
        }

        /** Pieces of {@code size} in the first and last bytes, where everything but pages stands; larger ones between. */
        static Pieces atTheEdges(int size, int edge, Random random) {
            return (at, total) -> at < edge || at >= total - edge ? size : 1 + random.nextInt(20_000);
        }
    }

    /** A decoder's {@code next}. */
    interface Decoder<M> {
        @Nullable
        M next(ByteBuffer in) throws WireException;
    }

    interface Sink<M> {
        void message(M message) throws WireException;
    }

    private final byte[] bytes;
    private final ByteBuffer buffer;
    private int at;

    Feed(byte[] bytes, int capacity) {
        this.bytes = bytes;
        this.buffer = ByteBuffer.allocateDirect(capacity).flip();
    }

    /** Gives everything; returns how many bytes the decoder left in the buffer. */
    <M> int all(Pieces pieces, Decoder<M> decoder, Sink<M> sink) throws WireException {
        do {
            buffer.compact();
            int n = Math.min(Math.min(pieces.next(at, bytes.length), bytes.length - at), buffer.remaining());
            if (n == 0 && at < bytes.length) {
                throw new AssertionError(
                        "the decoder wants more than a buffer of " + buffer.capacity() + " bytes can hold");
            }
            buffer.put(bytes, at, n).flip();
            at += n;
            for (M message = decoder.next(buffer); message != null; message = decoder.next(buffer)) {
                sink.message(message);
            }
        } while (at < bytes.length);
        return buffer.remaining();
    }
}
