// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockTable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Streams at random: right ones round-trip, wrong ones are refused or wait for more, and nothing else ever happens. */
class RandomStreamTest {
    private static final StreamLimits SMALL = new StreamLimits(1 << 20, 1 << 20, 1 << 20, 64, 1L << 40);

    private static DecoderOptions options(Random random) {
        return new DecoderOptions(
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextBoolean() ? Map.of() : Map.of("m0", 2L << 20))
                .withXbzrle(random.nextBoolean())
                .withCompress(random.nextBoolean());
    }

    @Test
    void streamsRoundTripFromAnySplit() throws Exception {
        Random random = Seed.random("streamsRoundTripFromAnySplit");
        for (int i = 0; i < 300; i++) {
            DecoderOptions options = options(random);
            RandomMessages messages = new RandomMessages(random);
            byte[] bytes = messages.stream(messages.blocks(options), options);
            StreamDecoder decoder = new StreamDecoder(SMALL, options);
            Echo echo = new Echo(bytes);

            new Feed(bytes, StreamDecoder.MIN_BUFFER)
                    .<StreamMessage>all(
                            Feed.Pieces.random(random, 1 + random.nextInt(5_000)), decoder::next, echo::expect);

            assertThat(decoder.ended()).isTrue();
            assertThat(echo.at()).isEqualTo(bytes.length);
        }
    }

    @Test
    void returnPathsRoundTripFromAnySplit() throws Exception {
        Random random = Seed.random("returnPathsRoundTripFromAnySplit");
        for (int i = 0; i < 300; i++) {
            RandomMessages messages = new RandomMessages(random);
            BlockTable blocks = messages.blocks(options(random));
            ReturnPathEncoder encoder = new ReturnPathEncoder(blocks);
            List<ReturnPathMessage> sent = new ArrayList<>();
            Wire wire = new Wire();
            for (int n = random.nextInt(20); n > 0; n--) {
                sent.add(messages.returnPath(blocks));
                wire.bytes(encoder.bytes(sent.getLast()));
            }
            ReturnPathDecoder decoder = new ReturnPathDecoder(blocks);
            List<ReturnPathMessage> received = new ArrayList<>();

            new Feed(wire.toBytes(), ReturnPathDecoder.MIN_BUFFER)
                    .<ReturnPathMessage>all(
                            Feed.Pieces.random(random, 1 + random.nextInt(600)), decoder::next, received::add);

            assertThat(received).isEqualTo(sent);
        }
    }

    @Test
    void aStreamThatIsCutAnywhereWaitsForExactlyWhatItSays() throws Exception {
        Random random = Seed.random("aStreamThatIsCutAnywhereWaitsForExactlyWhatItSays");
        for (int i = 0; i < 400; i++) {
            DecoderOptions options = options(random);
            RandomMessages messages = new RandomMessages(random);
            byte[] bytes = messages.stream(messages.blocks(options), options);
            int cut = random.nextInt(bytes.length);
            StreamDecoder decoder = new StreamDecoder(SMALL, options);
            ByteBuffer in = ByteBuffer.wrap(bytes);
            in.limit(cut);
            drain(decoder, in);

            assertThat(decoder.ended()).isFalse();
            assertThat(decoder.needed()).isBetween(1, bytes.length - cut);
            in.limit(cut + decoder.needed() - 1);
            assertThat(decoder.next(in))
                    .as("fewer than it asked for are not enough")
                    .isNull();
            in.limit(bytes.length);
            drain(decoder, in);
            assertThat(decoder.ended()).isTrue();
        }
    }

    private static void drain(StreamDecoder decoder, ByteBuffer in) throws WireException {
        for (StreamMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
            StreamEncoder.size(m);
        }
    }

    @Test
    void aFewWrongBytesAreRefusedOrTaken() {
        Random random = Seed.random("aFewWrongBytesAreRefusedOrTaken");
        int refused = 0;
        for (int i = 0; i < 3_000; i++) {
            DecoderOptions options = options(random);
            RandomMessages messages = new RandomMessages(random);
            BlockTable blocks = messages.blocks(options);
            byte[] bytes = mutate(messages.stream(blocks, options), random);
            StreamDecoder decoder = new StreamDecoder(SMALL, options);
            refused += survives(bytes, random, decoder::next) ? 0 : 1;
        }
        assertThat(refused).as("most mutations hurt").isGreaterThan(300);
    }

    @Test
    void randomBytesAreRefusedOrWaitForMore() {
        Random random = Seed.random("randomBytesAreRefusedOrWaitForMore");
        BlockTable blocks = Wire.BLOCKS;
        for (int i = 0; i < 20_000; i++) {
            byte[] noise = new byte[random.nextInt(3_000)];
            random.nextBytes(noise);
            if (random.nextBoolean()) {
                for (int b = 0; b < noise.length; b++) {
                    noise[b] &= (byte) (random.nextInt(4) == 0 ? 0x0f : 0);
                }
            }
            StreamContext context = new StreamContext(blocks, 0);
            StreamDecoder recovery = StreamDecoder.recovery(SMALL, DecoderOptions.PLAIN, context);
            survives(noise, random, recovery::next);
            survives(noise, random, new PreemptDecoder(blocks)::next);
            survives(noise, random, new ReturnPathDecoder(blocks)::next);
            byte[] start = i % 2 == 0
                    ? Wire.afterEnd().toBytes()
                    : Wire.afterConfiguration().toBytes();
            survives(
                    new Wire().bytes(start).bytes(noise).toBytes(),
                    random,
                    new StreamDecoder(SMALL, options(random))::next);
            FirstBytes.classify(ByteBuffer.wrap(noise), random.nextBoolean() ? blocks : null);
            survivesParsing(noise);
        }
    }

    private static void survivesParsing(byte[] noise) {
        try {
            DeviceSections.scan(noise);
            PackagedBlob.parse(new StreamMessage.Packaged(noise), 0);
        } catch (WireException e) {
            assertThat(e.offset()).isBetween(0L, (long) noise.length);
        }
    }

    @Test
    void wrongBytesInAReturnPathAreRefusedOrTaken() {
        Random random = Seed.random("wrongBytesInAReturnPathAreRefusedOrTaken");
        int refused = 0;
        for (int i = 0; i < 5_000; i++) {
            RandomMessages messages = new RandomMessages(random);
            BlockTable blocks = messages.blocks(DecoderOptions.PLAIN);
            ReturnPathEncoder encoder = new ReturnPathEncoder(blocks);
            Wire wire = new Wire();
            for (int n = 1 + random.nextInt(10); n > 0; n--) {
                wire.bytes(encoder.bytes(messages.returnPath(blocks)));
            }
            refused += survives(mutate(wire.toBytes(), random), random, new ReturnPathDecoder(blocks)::next) ? 0 : 1;
        }
        assertThat(refused).as("most mutations hurt").isGreaterThan(500);
    }

    /** Whether all was taken; any exception but a refusal fails the test. */
    private static <M> boolean survives(byte[] bytes, Random random, Feed.Decoder<M> decoder) {
        try {
            new Feed(bytes, StreamDecoder.MIN_BUFFER)
                    .<M>all(Feed.Pieces.random(random, 1 + random.nextInt(8_000)), decoder, message -> {});
            return true;
        } catch (WireException e) {
            assertThat(e.offset()).isBetween(0L, (long) bytes.length);
            assertThat(e.reason()).isNotEmpty();
            return false;
        }
    }

    private static byte[] mutate(byte[] original, Random random) {
        byte[] bytes = original.clone();
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
            // What is not a page stands at the beginning and the end.
            int edge = Math.min(bytes.length, 600);
            int at = random.nextBoolean() ? random.nextInt(bytes.length) : random.nextInt(edge);
            at = random.nextInt(4) == 0 ? bytes.length - 1 - random.nextInt(edge) : at;
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                default -> {
                    int to = random.nextInt(bytes.length);
                    int length = Math.min(random.nextInt(40), bytes.length - Math.max(at, to));
                    System.arraycopy(bytes, at, bytes, to, Math.max(0, length));
                }
            }
        }
        return bytes;
    }
}
