// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Pieces;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What a destination says. The first byte of an input is the size of the pieces. */
class ReturnPathFuzzTest {
    private record Back(ReturnPathDecoder decoder) implements Decoding.Decoder<ReturnPathMessage> {
        @Override
        public @Nullable ReturnPathMessage next(ByteBuffer in) throws WireException {
            return decoder.next(in);
        }

        @Override
        public long offset() {
            return decoder.offset();
        }
    }

    private static final Decoding.Tongue<ReturnPathMessage> TONGUE = new Decoding.Tongue<>() {
        private final ReturnPathEncoder encoder = new ReturnPathEncoder(Guest.BLOCKS);

        @Override
        public String text(ReturnPathMessage message) {
            return message instanceof ReturnPathMessage.RecvBitmap(int block, var bitmap)
                    ? "RecvBitmap " + block + " " + bitmap.cardinality()
                    : message.toString();
        }

        @Override
        public byte[] encode(ReturnPathMessage message) {
            return encoder.bytes(message);
        }
    };

    @FuzzTest
    void returnPath(byte[] input) {
        new Decoding<>(() -> new Back(new ReturnPathDecoder(Guest.BLOCKS)), TONGUE, 2 * ReturnPathDecoder.MIN_BUFFER)
                .check(Pieces.rest(input, 1), Pieces.control(input, 0));
    }
}
