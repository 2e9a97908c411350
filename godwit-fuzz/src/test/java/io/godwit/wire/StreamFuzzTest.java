// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Pieces;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The channels that carry {@link StreamMessage}s. The first byte of an input is its options, the second the size of the pieces. */
class StreamFuzzTest {
    private static final int CAPACITY = 2 * StreamDecoder.MIN_BUFFER;

    private record Main(StreamDecoder decoder) implements Decoding.Decoder<StreamMessage> {
        @Override
        public @Nullable StreamMessage next(ByteBuffer in) throws WireException {
            StreamMessage message = decoder.next(in);
            if (message == null && !decoder.ended() && decoder.needed() < 1) {
                throw new AssertionError("it waits for nothing");
            }
            return message;
        }

        @Override
        public long offset() {
            return decoder.offset();
        }

        @Override
        public void nothingFollows() {
            if (decoder.mayEnd(true)) {
                decoder.nothingFollows();
            }
        }
    }

    private record Preempt(PreemptDecoder decoder) implements Decoding.Decoder<StreamMessage> {
        @Override
        public @Nullable StreamMessage next(ByteBuffer in) throws WireException {
            return decoder.next(in);
        }

        @Override
        public long offset() {
            return decoder.offset();
        }
    }

    private static final Decoding.Tongue<StreamMessage> TONGUE = new Decoding.Tongue<>() {
        @Override
        public String text(StreamMessage message) throws WireException {
            return Guest.text(message);
        }

        @Override
        public byte[] encode(StreamMessage message) {
            return StreamEncoder.bytes(message);
        }
    };

    private static DecoderOptions options(int bits) {
        return new DecoderOptions(
                        (bits & 1) != 0,
                        (bits & 2) != 0,
                        (bits & 4) != 0,
                        (bits & 64) != 0 ? Map.of("pc.ram", 2L << 20) : Map.of())
                .withXbzrle((bits & 16) != 0)
                .withCompress((bits & 32) != 0);
    }

    @FuzzTest
    void main(byte[] input) {
        DecoderOptions options = options(Pieces.control(input, 0));
        new Decoding<>(() -> new Main(new StreamDecoder(StreamLimits.DEFAULT, options)), TONGUE, CAPACITY)
                .check(Pieces.rest(input, 2), Pieces.control(input, 1));
    }

    @FuzzTest
    void recovery(byte[] input) {
        DecoderOptions options = options(Pieces.control(input, 0));
        StreamContext context = new StreamContext(Guest.BLOCKS, Guest.RAM_ID);
        new Decoding<>(() -> new Main(StreamDecoder.recovery(StreamLimits.DEFAULT, options, context)), TONGUE, CAPACITY)
                .check(Pieces.rest(input, 2), Pieces.control(input, 1));
    }

    private static final Decoding.Tongue<StreamMessage> INSIDE = new Decoding.Tongue<>() {
        @Override
        public String text(StreamMessage message) throws WireException {
            if (message instanceof PageRecord page) {
                Guest.requireInside(page.block(), page.page());
            }
            return TONGUE.text(message);
        }

        @Override
        public byte[] encode(StreamMessage message) {
            return TONGUE.encode(message);
        }
    };

    @FuzzTest
    void preempt(byte[] input) {
        new Decoding<>(() -> new Preempt(new PreemptDecoder(Guest.BLOCKS)), INSIDE, CAPACITY)
                .check(Pieces.rest(input, 2), Pieces.control(input, 1));
    }
}
