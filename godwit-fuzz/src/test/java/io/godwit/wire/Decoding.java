// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What every decoder of a channel is held to, whatever the bytes: it ends with a {@link WireException} or waits for more; steps and heap are in proportion
 * to the bytes; pieces of another size give the same messages and the same end, also the end that only the channel's end can tell; what was decoded is written as the same bytes.
 *
 * @param <M> its messages
 */
final class Decoding<M> {
    /** A decoder's {@code next} and {@code offset}. */
    interface Decoder<M> extends AutoCloseable {
        @Nullable
        M next(ByteBuffer in) throws WireException;

        long offset();

        /** The channel ends behind what was given. */
        default void nothingFollows() {}

        @Override
        default void close() {}
    }

    /** What a message says; its bytes on the wire. */
    interface Tongue<M> {
        String text(M message) throws WireException;

        byte[] encode(M message);

        /** Whether the bytes have to be those that were decoded. */
        default boolean exact(M message) {
            return true;
        }
    }

    private final Supplier<Decoder<M>> decoders;
    private final Tongue<M> tongue;
    private final int capacity;

    Decoding(Supplier<Decoder<M>> decoders, Tongue<M> tongue, int capacity) {
        this.decoders = decoders;
        this.tongue = tongue;
        this.capacity = capacity;
    }

    void check(byte[] bytes, int pieces) {
        Budget.holds(bytes.length, budget -> cost(bytes, budget));
        List<String> whole = tell(bytes, 0, true);
        List<String> inPieces = tell(bytes, pieces, false);
        if (!whole.equals(inPieces)) {
            throw new AssertionError("in pieces " + inPieces + "\nat once " + whole);
        }
    }

    private void cost(byte[] bytes, Budget budget) {
        Pieces pieces = new Pieces(bytes, capacity, 0);
        try (Decoder<M> decoder = decoders.get()) {
            try {
                while (pieces.next()) {
                    take(decoder, pieces, budget);
                }
                decoder.nothingFollows();
                take(decoder, pieces, budget);
            } catch (WireException e) {
                sameAgain(decoder, pieces.buffer(), e);
            }
        }
    }

    private static <M> void take(Decoder<M> decoder, Pieces pieces, Budget budget) throws WireException {
        while (decoder.next(pieces.buffer()) != null) {
            budget.step();
        }
    }

    private static <M> void sameAgain(Decoder<M> decoder, ByteBuffer in, WireException first) {
        try {
            decoder.next(in);
            throw new AssertionError("it goes on after " + first);
        } catch (WireException e) {
            if (e != first) {
                throw new AssertionError("another error after " + first, e);
            }
        }
    }

    /** Its messages and how it ended. */
    private List<String> tell(byte[] bytes, int kind, boolean echo) {
        List<String> said = new ArrayList<>();
        Pieces pieces = new Pieces(bytes, capacity, kind);
        int at = 0;
        boolean more = pieces.next();
        try (Decoder<M> decoder = decoders.get()) {
            for (boolean over = false; !over; more = pieces.next()) {
                if (!more) {
                    decoder.nothingFollows();
                    over = true;
                }
                for (M message = decoder.next(pieces.buffer());
                        message != null;
                        message = decoder.next(pieces.buffer())) {
                    said.add(tongue.text(message));
                    if (echo) {
                        at = echo(message, bytes, at);
                    }
                }
            }
            said.add("waits at " + decoder.offset() + " of " + bytes.length);
        } catch (WireException e) {
            said.add(e.getClass().getSimpleName() + " " + told(e));
        }
        return said;
    }

    /** Without how many bytes stood behind the end, which only says how many were there by then. */
    private static String told(WireException e) {
        return String.valueOf(e.getMessage()).replaceAll("[0-9]+ bytes after the end", "bytes after the end");
    }

    private int echo(M message, byte[] bytes, int at) {
        byte[] encoded = tongue.encode(message);
        int end = at + encoded.length;
        if (tongue.exact(message)
                && (end > bytes.length || !Arrays.equals(encoded, 0, encoded.length, bytes, at, end))) {
            throw new AssertionError("at byte " + at + " " + message + " is written as " + Arrays.toString(encoded));
        }
        return end;
    }
}
