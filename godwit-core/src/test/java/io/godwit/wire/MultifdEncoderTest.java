// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.MultifdWire.Load;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a source writes: the bytes that {@code spec/multifd.md} draws, and that a destination reads what was sent. */
class MultifdEncoderTest {
    private static String hex(byte[] bytes, int from, int to) {
        return HexFormat.ofDelimiter(" ").formatHex(bytes, from, to);
    }

    @Test
    void isWrittenAsDrawn() {
        byte[] bytes = MultifdWire.channel(MultifdCompression.NONE, Load.of(0, 3, -1, 5));
        int packet = 64 + 1344;

        assertThat(hex(bytes, 0, 25))
                .isEqualTo("11 22 33 44 00 00 00 01 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff 02");
        assertThat(hex(bytes, 64, 64 + 36))
                .as("a SYNC")
                .isEqualTo("11 22 33 44 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00"
                        + " 00 00 00 00 00 00 00 01 00 00 00 00");
        assertThat(hex(bytes, packet, packet + 36))
                .isEqualTo("11 22 33 44 00 00 00 01 00 00 00 00 00 00 00 80 00 00 00 02 00 00 20 00"
                        + " 00 00 00 00 00 00 00 02 00 00 00 01");
        assertThat(hex(bytes, packet + 64, packet + 72)).isEqualTo("70 63 2e 72 61 6d 00 00");
        assertThat(hex(bytes, packet + 320, packet + 352))
                .as("pages with data, then zero pages")
                .isEqualTo("00 00 00 00 00 00 30 00 00 00 00 00 00 00 50 00"
                        + " 00 00 00 00 00 00 10 00 00 00 00 00 00 00 00 00");
        assertThat(bytes).hasSize(packet + 1344 + 2 * 4096 + 1344);
        for (int reserved : List.of(25, 63, 64 + 40, 64 + 1343, packet + 36, packet + 319, packet + 1343)) {
            assertThat(bytes[reserved]).as("byte %d", reserved).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(MultifdCompression.class)
    void aDestinationReadsWhatWasSent(MultifdCompression compression) throws Exception {
        byte[] bytes = MultifdWire.channel(
                compression, Load.of(0, 1, 2, -3, 60), Load.of(1, 0), Load.of(0, -7, -8), Load.of(0, 9));

        assertThat(MultifdWire.decode(MultifdWire.decoder(compression), bytes))
                .filteredOn(m -> !m.startsWith("MultifdPacket"))
                .containsExactly(
                        "Init[uuid=00112233-4455-6677-8899-aabbccddeeff, id=2, attempt=0]",
                        "Sync[]",
                        "MultifdPage[block 0 page 1]",
                        "MultifdPage[block 0 page 2]",
                        "MultifdPage[block 0 page 60]",
                        "MultifdPage[block 0 page 3 zero]",
                        "MultifdPage[block 1 page 0]",
                        "MultifdPage[block 0 page 7 zero]",
                        "MultifdPage[block 0 page 8 zero]",
                        "MultifdPage[block 0 page 9]",
                        "Sync[]");
    }

    @ParameterizedTest
    @CsvSource({"NONE, 0", "ZLIB, 0", "ZLIB, 1", "ZLIB, 9", "ZSTD, 1", "ZSTD, 3", "ZSTD, 20"})
    void fullPacketsOfNoiseFitAndComeBack(MultifdCompression compression, int level) throws Exception {
        Random random = Seed.random("fullPacketsOfNoiseFitAndComeBack");
        BlockTable blocks = new BlockTable(List.of(BlockInfo.of("m", 1024L * Pages.SIZE)));
        byte[] noise = new byte[3 * 128 * Pages.SIZE];
        random.nextBytes(noise);
        ByteBuffer wire = ByteBuffer.allocateDirect(MultifdEncoder.MAX_PACKET);
        MultifdDecoder decoder = new MultifdDecoder(new MultifdSetup(MultifdMessage.Init.NO_UUID, 1, compression));
        decoder.blocks(blocks);
        try (decoder;
                MultifdEncoder encoder = new MultifdEncoder(blocks, compression, level, false)) {
            MultifdEncoder.init(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, 0), wire);
            assertThat(decoder.next(wire.flip())).isInstanceOf(MultifdMessage.Init.class);
            int seen = 0;
            for (int packet = 0; packet < 3; packet++) {
                encoder.begin(wire.clear(), 0);
                for (int i = 0; i < MultifdEncoder.MAX_PAGES; i++) {
                    int page = packet * 128 + i;
                    encoder.page(page).put(noise, page * Pages.SIZE, Pages.SIZE);
                }
                encoder.end(packet);
                wire.flip();
                for (MultifdMessage m = decoder.next(wire); m != null; m = decoder.next(wire)) {
                    if (m instanceof MultifdPage page) {
                        assertThat(page.buffer().slice(page.dataPosition(), Pages.SIZE))
                                .isEqualTo(ByteBuffer.wrap(noise, (int) page.page() * Pages.SIZE, Pages.SIZE));
                        seen++;
                    }
                }
                assertThat(wire.hasRemaining()).isFalse();
            }
            assertThat(seen).isEqualTo(3 * 128);
        }
    }

    /** Pages 3 and 4 are appended, 5 to 7 sent from where they are, 8 appended. */
    @Test
    void pagesThatTheCallerSendsItselfAreToldOfByThePacket() throws Exception {
        ByteBuffer room = ByteBuffer.allocate(MultifdEncoder.MAX_PACKET);
        MultifdEncoder encoder = new MultifdEncoder(Wire.BLOCKS, MultifdCompression.NONE, 1, false);
        encoder.begin(room, 0);
        encoder.pages(3, 2).put(page(3)).put(page(4));
        int here = room.position();
        encoder.pagesElsewhere(5, 3);
        encoder.page(8).put(page(8));
        encoder.end(7);

        assertThat(room.position()).isEqualTo(MultifdEncoder.SYNC_SIZE + 3 * Pages.SIZE);
        ByteBuffer wire = ByteBuffer.allocate(MultifdEncoder.INIT_SIZE + MultifdEncoder.MAX_PACKET);
        MultifdEncoder.init(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, 0), wire);
        wire.put(room.slice(0, here))
                .put(page(5))
                .put(page(6))
                .put(page(7))
                .put(room.slice(here, room.position() - here));
        MultifdDecoder decoder =
                new MultifdDecoder(new MultifdSetup(MultifdMessage.Init.NO_UUID, 1, MultifdCompression.NONE));
        decoder.blocks(Wire.BLOCKS);
        List<Long> pages = new ArrayList<>();
        try (decoder) {
            wire.flip();
            for (MultifdMessage m = decoder.next(wire); m != null; m = decoder.next(wire)) {
                if (m instanceof MultifdPage page) {
                    assertThat(page.buffer().slice(page.dataPosition(), Pages.SIZE))
                            .isEqualTo(ByteBuffer.wrap(page((int) page.page())));
                    pages.add(page.page());
                }
            }
        }
        assertThat(pages).containsExactly(3L, 4L, 5L, 6L, 7L, 8L);
        assertThat(wire.hasRemaining()).isFalse();
    }

    private static byte[] page(int number) {
        byte[] page = new byte[Pages.SIZE];
        Arrays.fill(page, (byte) number);
        return page;
    }

    @Test
    void whatDoesNotFitThePacketIsOurMistake() {
        ByteBuffer room = ByteBuffer.allocate(MultifdEncoder.MAX_PACKET);
        MultifdEncoder plain = new MultifdEncoder(Wire.BLOCKS, MultifdCompression.NONE, 1, false);

        assertThatThrownBy(() -> plain.end(0)).hasMessageContaining("no packet was begun");
        assertThatThrownBy(() -> plain.begin(ByteBuffer.allocate(5000), 0)).hasMessageContaining("bytes of room");
        plain.begin(room, 0);
        assertThatThrownBy(() -> plain.begin(room, 0)).hasMessageContaining("was not ended");
        assertThatThrownBy(() -> plain.end(0)).hasMessageContaining("without pages");
        assertThatThrownBy(() -> plain.zero(1)).hasMessageContaining("main channel");
        assertThatThrownBy(() -> plain.page(64)).isInstanceOf(IndexOutOfBoundsException.class);
        plain.page(1).put(new byte[4095]);
        assertThatThrownBy(() -> plain.page(2)).hasMessageContaining("4095 bytes were appended for 1 pages");
        assertThatThrownBy(() -> plain.end(0)).hasMessageContaining("4095 bytes were appended for 1 pages");
        assertThatThrownBy(() -> new MultifdEncoder(Wire.BLOCKS, MultifdCompression.ZLIB, 10, true))
                .hasMessageContaining("0 to 9");
        try (MultifdEncoder zlib = new MultifdEncoder(Wire.BLOCKS, MultifdCompression.ZLIB, 1, true)) {
            assertThatThrownBy(() -> zlib.begin(room, 0)).hasMessageContaining("a direct one");
            assertThatThrownBy(() -> zlib.pagesElsewhere(1, 1)).hasMessageContaining("has to be in the packet");
        }
    }

    @Test
    void aPacketHasAtMost128Pages() {
        MultifdEncoder encoder = new MultifdEncoder(
                new BlockTable(List.of(BlockInfo.of("m", 1 << 20))), MultifdCompression.NONE, 1, true);
        encoder.begin(ByteBuffer.allocate(MultifdEncoder.MAX_PACKET), 0);
        for (int i = 0; i < 128; i++) {
            encoder.zero(i);
        }

        assertThatThrownBy(() -> encoder.zero(128)).hasMessageContaining("at most 128 pages");
    }

    @ParameterizedTest
    @CsvSource({
        "pc-i440fx-7.2, false, false",
        "pc-i440fx-8.0, false, false",
        "pc-q35-8.1, true, false",
        "pc-i440fx-8.2, true, false",
        "pc-i440fx-9.0, true, true",
        "pc-i440fx-10.0, true, true",
        "pc-i440fx-11.1, true, true",
        "microvm, true, true"
    })
    void theMachineTypeDecidesTheDialect(String machine, boolean flushWord, boolean zeroPages) {
        MultifdDialect dialect = MultifdDialect.ofMachine(machine);
        ByteBuffer main = ByteBuffer.allocate(8);
        dialect.endSyncPoint(main);

        assertThat(dialect).isEqualTo(new MultifdDialect(flushWord, zeroPages));
        assertThat(hex(main.array(), 0, main.position())).isEqualTo(flushWord ? "00 00 00 00 00 00 02 00" : "");
    }

    @Test
    void syncPointsAreWordsWhereStartHasOneAndElseEachSectionsEnd() {
        StreamMessage flush = new StreamMessage.MultifdFlush();
        StreamMessage end = new StreamMessage.EndOfRecords();
        MultifdSyncPoints old = new MultifdSyncPoints();
        MultifdSyncPoints recent = new MultifdSyncPoints();

        assertThat(old.isSyncPoint(StreamMessage.SectionStart.ram(1))).isFalse();
        assertThat(List.of(old.isSyncPoint(end), old.isSyncPoint(end))).containsOnly(true);
        assertThat(List.of(recent.isSyncPoint(flush), recent.isSyncPoint(flush)))
                .containsOnly(true);
        assertThat(recent.isSyncPoint(end)).isFalse();
    }
}
