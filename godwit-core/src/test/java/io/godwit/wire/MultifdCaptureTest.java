// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.godwit.json.JsonObject;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.Captures.Connection;
import io.godwit.wire.StreamMessage.Configuration;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every migration with multifd that was recorded from QEMU: its channels byte by byte, and what they bring together with the main channel. */
class MultifdCaptureTest {
    private static final int CHANNELS = 2;
    /** Where the test guest begins to write in all of these captures. */
    private static final int FIRST_ADDRESS = 1 << 20;

    /** The captures with multifd channels. */
    static List<String> vectors() {
        List<String> vectors =
                channels().stream().map(Connection::vector).distinct().toList();
        assertThat(vectors).hasSize(13);
        return vectors;
    }

    /** The multifd channels. */
    static List<Connection> channels() {
        return Captures.all().stream()
                .filter(c -> c.vector().contains("multifd") && c.connection().matches("r0\\.c[12]"))
                .toList();
    }

    private static MultifdCompression compression(String vector) {
        return vector.endsWith("zlib")
                ? MultifdCompression.ZLIB
                : vector.endsWith("zstd") ? MultifdCompression.ZSTD : MultifdCompression.NONE;
    }

    private static MultifdDecoder decoder(String vector, BlockTable blocks) {
        MultifdDecoder decoder =
                new MultifdDecoder(new MultifdSetup(MultifdMessage.Init.NO_UUID, CHANNELS, compression(vector)));
        decoder.blocks(blocks);
        return decoder;
    }

    private static BlockTable blocks(String vector) throws WireException {
        return MainCaptureTest.context(new Connection(vector, "r0.c0")).blocks();
    }

    @TestFactory
    Stream<DynamicTest> decodesToTheLastByteAndEncodesBackToTheSameBytesFromAnySplit() {
        Random random = Seed.random("decodesToTheLastByteAndEncodesBackToTheSameBytesFromAnySplit");
        return channels().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.forward();
                    Tally whole = run(c, bytes, Feed.Pieces.of(1 << 20), 1 << 20);
                    assertThat(whole.messages.getFirst()).startsWith("Init[");
                    for (Feed.Pieces pieces : List.of(
                            Feed.Pieces.atTheEdges(1, 8_000, random),
                            Feed.Pieces.atTheEdges(7, 8_000, random),
                            Feed.Pieces.random(random, 9_000))) {
                        assertThat(run(c, bytes, pieces, MultifdDecoder.MIN_BUFFER))
                                .isEqualTo(whole);
                    }
                }));
    }

    /** What a run gave. */
    private record Tally(List<String> messages, long pages, int contents) {}

    private static Tally run(Connection c, byte[] bytes, Feed.Pieces pieces, int capacity) throws Exception {
        List<String> messages = new ArrayList<>();
        long[] counts = new long[2];
        Echo echo = new Echo(bytes);
        try (MultifdDecoder decoder = decoder(c.vector(), blocks(c.vector()))) {
            int left = new Feed(bytes, capacity).<MultifdMessage>all(pieces, decoder::next, message -> {
                echo.expect(message);
                if (message instanceof MultifdPage page) {
                    counts[0]++;
                    counts[1] = 31 * counts[1] + 7 * page.page() + page.block() + (page.zero() ? 0 : hash(page));
                } else {
                    messages.add(message.toString());
                }
            });

            assertThat(left).isZero();
            assertThat(echo.at()).isEqualTo(bytes.length);
            assertThat(decoder.offset()).isEqualTo(bytes.length);
            assertThat(decoder.betweenPackets()).isTrue();
        }
        return new Tally(messages, counts[0], Long.hashCode(counts[1]));
    }

    private static int hash(MultifdPage page) {
        return page.buffer().slice(page.dataPosition(), Pages.SIZE).hashCode();
    }

    @TestFactory
    Stream<DynamicTest> theChannelsSyncAsOftenAsTheMainChannelAndTheGuestsMemoryIsWhatItWrote() {
        return vectors().stream().map(v -> dynamicTest(v, () -> new Destination(v).load()));
    }

    /** Loads a capture as a destination does: up to a sync point the channels and main in any order, then on together. */
    private static final class Destination {
        private final String vector;
        private final MultifdSyncPoints syncPoints = new MultifdSyncPoints();
        private final BlockTable blocks;
        private final List<byte[]> memory = new ArrayList<>();
        private final List<PageBitmap> received = new ArrayList<>();
        private final List<MultifdDecoder> channels = new ArrayList<>();
        private final List<ByteBuffer> inputs = new ArrayList<>();
        private @Nullable MultifdDialect dialect;
        private int flushWords;
        private boolean guestWasSeenRunning;

        Destination(String vector) throws WireException {
            this.vector = vector;
            this.blocks = blocks(vector);
            blocks.list().forEach(b -> {
                memory.add(new byte[(int) b.usedLength()]);
                received.add(new PageBitmap(b.pages()));
            });
            for (int i = 1; i <= CHANNELS; i++) {
                channels.add(decoder(vector, blocks));
                inputs.add(ByteBuffer.wrap(new Connection(vector, "r0.c" + i).forward()));
            }
        }

        void load() throws Exception {
            StreamDecoder main =
                    new StreamDecoder(StreamLimits.DEFAULT, MainCaptureTest.options(new Connection(vector, "r0.c0")));
            ByteBuffer in = ByteBuffer.wrap(new Connection(vector, "r0.c0").forward());
            int syncs = 0;
            for (StreamMessage m = main.next(in); m != null; m = main.next(in)) {
                if (m instanceof Configuration configuration) {
                    dialect = MultifdDialect.ofMachine(configuration.machine());
                } else if (m instanceof StreamMessage.MultifdFlush) {
                    flushWords++;
                } else if (m instanceof PageRecord page) {
                    assertThat(page.zero() && Objects.requireNonNull(dialect).zeroPagesInPackets())
                            .isFalse();
                    store(page.block(), page.page(), page.zero() ? null : in, page.zero() ? 0 : page.dataPosition());
                }
                if (syncPoints.isSyncPoint(m)) {
                    syncs++;
                    for (int i = 0; i < CHANNELS; i++) {
                        assertThat(readToSync(i))
                                .as("channel %d has sync %d", i, syncs)
                                .isTrue();
                    }
                }
            }

            assertThat(main.ended()).isTrue();
            assertThat(syncs).isGreaterThan(3);
            assertThat(flushWords).isEqualTo(Objects.requireNonNull(dialect).flushWord() ? syncs : 0);
            for (int i = 0; i < CHANNELS; i++) {
                assertThat(readToSync(i)).as("channel %d has nothing more", i).isFalse();
                assertThat(inputs.get(i).hasRemaining()).isFalse();
                channels.get(i).close();
            }
            assertThat(received).allSatisfy(b -> assertThat(b.nextClear(0)).isEqualTo(-1));
            checkMemory();
        }

        private boolean readToSync(int channel) throws WireException {
            ByteBuffer in = inputs.get(channel);
            for (MultifdMessage m = channels.get(channel).next(in);
                    m != null;
                    m = channels.get(channel).next(in)) {
                switch (m) {
                    case MultifdMessage.Init _ -> {}
                    case MultifdMessage.Sync _ -> {
                        return true;
                    }
                    case MultifdPacket packet ->
                        assertThat(packet.zeroPages() > 0
                                        && !Objects.requireNonNull(dialect).zeroPagesInPackets())
                                .isFalse();
                    case MultifdPage page when page.zero() -> store(page.block(), page.page(), null, 0);
                    case MultifdPage page -> store(page.block(), page.page(), page.buffer(), page.dataPosition());
                }
            }
            return false;
        }

        private void store(int block, long page, @Nullable ByteBuffer from, int position) {
            int at = (int) page * Pages.SIZE;
            received.get(block).set(page);
            if (from == null) {
                Arrays.fill(memory.get(block), at, at + Pages.SIZE, (byte) 0);
            } else {
                from.get(position, memory.get(block), at, Pages.SIZE);
            }
            guestWasSeenRunning |=
                    blocks.get(block).name().equals("pc.ram") && at == FIRST_ADDRESS && memory.get(block)[at] != 0;
        }

        /**
         * The guest adds one to the first byte of each page in turn, again and again, and was stopped somewhere: so the counts are equal up to
         * there, and one less behind it. Nothing else of these pages was ever written.
         */
        private void checkMemory() {
            JsonObject boot = Captures.meta(vector).object("boot_sector");
            byte[] ram = memory.get(blocks.indexOf("pc.ram"));
            int first = (int) boot.int64("first_address");
            assertThat(first).isEqualTo(FIRST_ADDRESS);
            int end = (int) boot.int64("end_address");
            int steps = 0;
            for (int at = first; at < end; at += Pages.SIZE) {
                assertThat(Arrays.mismatch(ram, at + 1, at + Pages.SIZE, new byte[Pages.SIZE], 0, Pages.SIZE - 1))
                        .isEqualTo(-1);
                int before = at == first ? ram[at] : ram[at - Pages.SIZE];
                if (ram[at] != before) {
                    assertThat(ram[at]).as("count in page at 0x%x", at).isEqualTo((byte) (before - 1));
                    steps++;
                }
            }
            assertThat(steps).as("places where the guest may have been stopped").isLessThanOrEqualTo(1);
            assertThat(guestWasSeenRunning).isTrue();
        }
    }
}
