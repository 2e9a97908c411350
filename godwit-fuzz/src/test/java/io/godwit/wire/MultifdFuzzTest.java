// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Pieces;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One multifd channel. The first byte of an input is the size of the pieces. */
class MultifdFuzzTest {
    private static final int CHANNELS = 4;

    private record Multifd(MultifdDecoder decoder) implements Decoding.Decoder<MultifdMessage> {
        @Override
        public @Nullable MultifdMessage next(ByteBuffer in) throws WireException {
            return decoder.next(in);
        }

        @Override
        public long offset() {
            return decoder.offset();
        }

        @Override
        public void close() {
            decoder.close();
        }
    }

    private static final Decoding.Tongue<MultifdMessage> TONGUE = new Decoding.Tongue<>() {
        @Override
        public String text(MultifdMessage message) {
            if (message instanceof MultifdPage page) {
                Guest.requireInside(page.block(), page.page());
            }
            return message instanceof MultifdPage page && !page.zero()
                    ? page + " " + Guest.hash(page.buffer(), page.dataPosition())
                    : message.toString();
        }

        @Override
        public byte[] encode(MultifdMessage message) {
            ByteBuffer out = ByteBuffer.allocate(MultifdEncoder.size(message));
            MultifdEncoder.write(message, out);
            return out.array();
        }

        // What is reserved in the first bytes of a channel is not kept.
        @Override
        public boolean exact(MultifdMessage message) {
            return !(message instanceof MultifdMessage.Init);
        }
    };

    private static void check(MultifdCompression compression, byte[] input) {
        new Decoding<>(() -> new Multifd(decoder(compression)), TONGUE, 2 * MultifdDecoder.MIN_BUFFER)
                .check(Pieces.rest(input, 1), Pieces.control(input, 0));
    }

    private static MultifdDecoder decoder(MultifdCompression compression) {
        MultifdDecoder decoder = new MultifdDecoder(new MultifdSetup(null, CHANNELS, compression));
        decoder.blocks(Guest.BLOCKS);
        return decoder;
    }

    @FuzzTest
    void none(byte[] input) {
        check(MultifdCompression.NONE, input);
    }

    @FuzzTest
    void zlib(byte[] input) {
        check(MultifdCompression.ZLIB, input);
    }

    @FuzzTest
    void zstd(byte[] input) {
        check(MultifdCompression.ZSTD, input);
    }
}
