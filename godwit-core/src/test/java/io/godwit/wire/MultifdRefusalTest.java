// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.wire.MultifdWire.Load;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a peer may send instead of a multifd channel. */
class MultifdRefusalTest {
    /** Where the first packet with pages begins. */
    private static final int PACKET = MultifdWire.INIT + MultifdWire.DATA;

    private static final byte[] PLAIN =
            MultifdWire.channel(MultifdCompression.NONE, Load.of(0, 1, 2, -3), Load.of(1, 0));
    private static final byte[] ZLIB =
            MultifdWire.channel(MultifdCompression.ZLIB, Load.of(0, 1, 2, -3), Load.of(1, 0));

    private static Arguments change(String reason, int at, Consumer<ByteBuffer> change) {
        return Arguments.of(reason, at, change);
    }

    static Stream<Arguments> spoilt() {
        return Stream.of(
                change("no multifd channel: it begins with 0x51454d56", 0, b -> b.putInt(0, 0x51454d56)),
                change("version 2", 4, b -> b.putInt(4, 2)),
                change("start both with the same UUID", 8, b -> b.put(23, (byte) 0)),
                change("channel number 3, but multifd-channels is 3", 24, b -> b.put(24, (byte) 3)),
                change("no multifd packet: it begins with 0x11223345", PACKET, b -> b.putInt(PACKET, 0x11223345)),
                change("a multifd packet of version 0", PACKET + 4, b -> b.putInt(PACKET + 4, 0)),
                change("flags 0x80 hold bits of no known meaning", PACKET + 8, b -> b.putInt(PACKET + 8, 0x80)),
                change("flags 0x80000000", PACKET + 8, b -> b.putInt(PACKET + 8, 0x80000000)),
                change(
                        "pages with compression zlib, but multifd-compression is none",
                        PACKET + 8,
                        b -> b.putInt(PACKET + 8, 2)),
                change("pages with compression qatzip", PACKET + 8, b -> b.putInt(PACKET + 8, 0x20)),
                change("pages_alloc is 129; at most 128", PACKET + 12, b -> b.putInt(PACKET + 12, 129)),
                change("pages_alloc is 4294967295", PACKET + 12, b -> b.putInt(PACKET + 12, -1)),
                change("normal_pages is 2; at most 1", PACKET + 16, b -> b.putInt(PACKET + 12, 1)),
                change("normal_pages is 4294967295", PACKET + 16, b -> b.putInt(PACKET + 16, -1)),
                change("zero_pages is 1; at most 0", PACKET + 32, b -> b.putInt(PACKET + 12, 2)),
                change("zero_pages is 4294967295", PACKET + 32, b -> b.putInt(PACKET + 32, -1)),
                change("next_packet_size is 8191 for 8192 bytes", PACKET + 20, b -> b.putInt(PACKET + 20, 8191)),
                change("next_packet_size is 4294967295", PACKET + 20, b -> b.putInt(PACKET + 20, -1)),
                change("no RAM block is named 'pc.rim'", PACKET + 64, b -> b.put(PACKET + 68, (byte) 'i')),
                change("no RAM block is named ''", PACKET + 64, b -> b.put(PACKET + 64, (byte) 0)),
                change("no RAM block is named 'pc.ram.'", PACKET + 64, b -> b.put(PACKET + 70, (byte) 7)),
                change(
                        "has no end",
                        PACKET + 64,
                        b -> b.put(PACKET + 64, "n".repeat(256).getBytes(US_ASCII))),
                change("offset 0x1001 is no multiple of 4096", PACKET + 320, b -> b.putLong(PACKET + 320, 0x1001)),
                change(
                        "offset 0x40000 is past the end of block 'pc.ram'",
                        PACKET + 328,
                        b -> b.putLong(PACKET + 328, 0x40000)),
                change(
                        "offset 0x8000000000000000 is past the end",
                        PACKET + 336,
                        b -> b.putLong(PACKET + 336, Long.MIN_VALUE)));
    }

    @ParameterizedTest
    @MethodSource
    void spoilt(String reason, int at, Consumer<ByteBuffer> change) {
        byte[] bytes = PLAIN.clone();
        change.accept(ByteBuffer.wrap(bytes));

        WireException refusal = MultifdWire.refusal(MultifdWire.decoder(MultifdCompression.NONE), bytes);

        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.offset()).isEqualTo(at);
        assertThat(refusal.channel()).isEqualTo(at < MultifdWire.INIT ? "multifd" : "multifd 2");
    }

    @Test
    void deviceStateIsRefusedByNameFromItsFirstBytes() {
        byte[] bytes = Arrays.copyOf(PLAIN, PACKET + 12);
        ByteBuffer.wrap(bytes).putInt(PACKET + 8, 0x40);

        WireException refusal = MultifdWire.refusal(MultifdWire.decoder(MultifdCompression.NONE), bytes);

        assertThat(((UnsupportedOnWireException) refusal).feature()).isEqualTo(Feature.DEVICE_STATE);
        assertThat(refusal.offset()).isEqualTo(PACKET + 8);
    }

    @Test
    void pagesBeforeTheBlockListAreRefused() {
        MultifdDecoder decoder = new MultifdDecoder(new MultifdSetup(MultifdWire.GUEST, 3, MultifdCompression.NONE));

        assertThat(MultifdWire.refusal(decoder, PLAIN).reason()).contains("before the main channel's block list");
    }

    @Test
    void aGuestWithoutUuidMeetsOneWithout() throws Exception {
        byte[] init = PLAIN.clone();
        Arrays.fill(init, 8, 24, (byte) 0);

        assertThat(MultifdWire.refusal(MultifdWire.decoder(MultifdCompression.NONE), init))
                .hasMessageContaining("the channel of guest 00000000-0000-0000-0000-000000000000");
        assertThat(new MultifdDecoder(new MultifdSetup(new UUID(0, 0), 3, MultifdCompression.NONE))
                        .next(ByteBuffer.wrap(init)))
                .isEqualTo(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, 2));
    }

    @Test
    void fieldsOfAPacketWithoutPagesMeanNothing() throws Exception {
        // As QEMU 7.2 leaves them: spec/multifd.md §2, §3.
        byte[] stale = MultifdWire.channel(MultifdCompression.NONE);
        ByteBuffer.wrap(stale)
                .putInt(MultifdWire.INIT + 8, 3)
                .putInt(MultifdWire.INIT + 12, 128)
                .putInt(MultifdWire.INIT + 20, 77_777)
                .put(MultifdWire.INIT + 64, "gone".getBytes(US_ASCII))
                .putLong(MultifdWire.INIT + 320, -1);

        assertThat(MultifdWire.decode(MultifdWire.decoder(MultifdCompression.NONE), stale))
                .hasSize(5)
                .last()
                .isEqualTo("Sync[]");
    }

    @Test
    void aSyncWithPagesComesAfterThem() throws Exception {
        byte[] combined = PLAIN.clone();
        combined[PACKET + 11] |= 1;

        assertThat(MultifdWire.decode(MultifdWire.decoder(MultifdCompression.NONE), combined)
                        .subList(3, 8))
                .containsExactly(
                        "MultifdPacket[2: 2 pages of 8192 bytes, 1 zero, sync]",
                        "MultifdPage[block 0 page 1]",
                        "MultifdPage[block 0 page 2]",
                        "MultifdPage[block 0 page 3 zero]",
                        "Sync[]");
    }

    /** The channel up to a packet with two pages and this data. */
    private static byte[] withData(MultifdCompression compression, byte[] data) {
        byte[] bytes = Arrays.copyOf(PLAIN, PACKET + MultifdWire.DATA + data.length);
        ByteBuffer.wrap(bytes)
                .putInt(PACKET + 8, compression.flag())
                .putInt(PACKET + 20, data.length)
                .put(PACKET + MultifdWire.DATA, data);
        return bytes;
    }

    private static byte[] deflated(int plainBytes, boolean finished) {
        Deflater deflater = new Deflater(9);
        deflater.setInput(new byte[plainBytes]);
        if (finished) {
            deflater.finish();
        }
        byte[] out = new byte[plainBytes / 500 + 100];
        int n = deflater.deflate(out, 0, out.length, finished ? Deflater.NO_FLUSH : Deflater.SYNC_FLUSH);
        deflater.end();
        return Arrays.copyOf(out, n);
    }

    static Stream<Arguments> zlibData() {
        return Stream.of(
                Arguments.of("gives more than the 8192 bytes", deflated(8193, false)),
                Arguments.of("gives more than the 8192 bytes", deflated(100 << 20, false)),
                Arguments.of("gives 8191 bytes, its pages have 8192", deflated(8191, false)),
                Arguments.of("gives 0 bytes", new byte[] {0x78, 1}),
                Arguments.of("its stream has ended", deflated(8192, true)),
                Arguments.of("its stream has ended", deflated(100, true)),
                Arguments.of("is damaged", new byte[100]),
                Arguments.of("needs a dictionary", new byte[] {0x78, (byte) 0xbb, 1, 2, 3, 4, 5}),
                Arguments.of("next_packet_size is 0", new byte[0]),
                Arguments.of("at most 1048576 are taken", new byte[(1 << 20) + 1]));
    }

    @ParameterizedTest
    @MethodSource
    void zlibData(String reason, byte[] data) {
        WireException refusal = MultifdWire.refusal(
                MultifdWire.decoder(MultifdCompression.ZLIB), withData(MultifdCompression.ZLIB, data));

        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.offset())
                .isEqualTo(PACKET + (reason.contains("next") || reason.contains("taken") ? 20 : MultifdWire.DATA));
    }

    /** A zstd frame with this window, then a block of {@code bytes} zeroes. */
    private static byte[] zstdRun(int windowLog, int bytes, boolean last) {
        int block = bytes << 3 | 1 << 1 | (last ? 1 : 0);
        return ByteBuffer.allocate(10)
                .putInt(0x28b52ffd)
                .put((byte) 0)
                .put((byte) ((windowLog - 10) << 3))
                .put((byte) block)
                .put((byte) (block >> 8))
                .put((byte) (block >> 16))
                .put((byte) 0)
                .array();
    }

    static Stream<Arguments> zstdData() {
        return Stream.of(
                Arguments.of("gives more than the 8192 bytes", zstdRun(25, 8193, false)),
                Arguments.of("gives more than the 8192 bytes", zstdRun(25, 128 << 10, false)),
                Arguments.of("gives 8191 bytes, its pages have 8192", zstdRun(25, 8191, false)),
                Arguments.of("its frame has ended", zstdRun(25, 8192, true)),
                Arguments.of("is damaged", zstdRun(26, 8192, false)),
                Arguments.of("is damaged", new byte[100]),
                Arguments.of("gives 0 bytes", new byte[] {0x28}));
    }

    @ParameterizedTest
    @MethodSource
    void zstdData(String reason, byte[] data) {
        WireException refusal = MultifdWire.refusal(
                MultifdWire.decoder(MultifdCompression.ZSTD), withData(MultifdCompression.ZSTD, data));

        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.offset()).isEqualTo(PACKET + MultifdWire.DATA);
    }

    @Test
    void theLargestWindowOfQemuIsTaken() throws Exception {
        byte[] bytes = withData(MultifdCompression.ZSTD, zstdRun(25, 8192, false));
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int pages = 0;
        try (MultifdDecoder decoder = MultifdWire.decoder(MultifdCompression.ZSTD)) {
            for (MultifdMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
                pages += m instanceof MultifdPage ? 1 : 0;
            }
        }

        assertThat(pages).isEqualTo(3);
    }

    @Test
    void anErrorStays() {
        MultifdDecoder decoder = MultifdWire.decoder(MultifdCompression.ZLIB);
        byte[] bytes = withData(MultifdCompression.ZLIB, new byte[100]);
        WireException first = MultifdWire.refusal(decoder, bytes);

        assertThatThrownBy(() -> decoder.next(ByteBuffer.wrap(ZLIB))).isSameAs(first);
    }

    @ParameterizedTest
    @EnumSource(MultifdCompression.class)
    void aCutChannelWaitsForMoreAndThenGoesOn(MultifdCompression compression) throws Exception {
        byte[] bytes = MultifdWire.channel(compression, Load.of(0, 1, -2), Load.of(0, 3));
        try (MultifdDecoder whole = MultifdWire.decoder(compression)) {
            int messages = MultifdWire.decode(whole, bytes).size();
            MultifdDecoder decoder = MultifdWire.decoder(compression);
            int seen = 0;
            int from = 0;
            for (int cut = 0; cut <= bytes.length; cut++) {
                ByteBuffer in = ByteBuffer.wrap(bytes, from, cut - from);
                while (decoder.next(in) != null) {
                    seen++;
                }
                from = in.position();
                boolean boundary = cut == MultifdWire.INIT || (decoder.betweenPackets() && from == cut);
                assertThat(decoder.needed()).isBetween(1, boundary ? MultifdWire.DATA : bytes.length - cut);
                assertThat(decoder.offset()).isEqualTo(from);
            }
            decoder.close();
            assertThat(seen).isEqualTo(messages);
        }
    }

    @ParameterizedTest
    @EnumSource(MultifdCompression.class)
    void randomChangesGiveAtWorstATypedError(MultifdCompression compression) {
        Random random = Seed.random("randomChangesGiveAtWorstATypedError");
        byte[] right = MultifdWire.channel(compression, Load.of(0, 1, -2, 40), Load.of(1, 0), Load.of(0, 9, 10));
        int refused = 0;
        for (int round = 0; round < 3_000; round++) {
            byte[] bytes = right.clone();
            for (int change = random.nextInt(4); change >= 0; change--) {
                int at = random.nextBoolean()
                        ? random.nextInt(bytes.length)
                        : Math.min(bytes.length - 1, PACKET + random.nextInt(400));
                bytes[at] =
                        random.nextBoolean() ? (byte) random.nextInt() : (byte) (bytes[at] ^ 1 << random.nextInt(8));
            }
            try (MultifdDecoder decoder = MultifdWire.decoder(compression)) {
                ByteBuffer in = ByteBuffer.wrap(
                        bytes, 0, random.nextInt(10) == 0 ? random.nextInt(bytes.length) : bytes.length);
                int pages = 0;
                for (MultifdMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
                    pages += m instanceof MultifdPage page ? page.block() + 1 : 0;
                }
                assertThat(pages).isLessThan(3 * MultifdEncoder.MAX_PAGES);
            } catch (WireException e) {
                refused++;
                assertThat(e.offset()).isBetween(0L, (long) bytes.length);
                assertThat(e.channel()).startsWith("multifd");
            }
        }
        // 519 without compression, with a standard deviation of 20, and more with it: most of a packet is page data,
        // which may be anything.
        assertThat(refused).isGreaterThan(400);
    }

    @Test
    void aDecoderInPostcopyKnowsNoMultifdFlush() throws Exception {
        WireException refusal = new Wire()
                .message(new StreamMessage.SectionPart(Wire.RAM_ID))
                .message(new StreamMessage.MultifdFlush())
                .refusal(StreamDecoder.recovery(
                        StreamLimits.DEFAULT,
                        DecoderOptions.PLAIN.withPostcopyRam(true).withMultifd(true),
                        new StreamContext(Wire.BLOCKS, Wire.RAM_ID)));

        assertThat(refusal)
                .hasMessageContaining("MULTIFD_FLUSH in postcopy")
                .isNotInstanceOf(UnsupportedOnWireException.class);
        assertThat(refusal.offset()).isEqualTo(5);
    }
}
