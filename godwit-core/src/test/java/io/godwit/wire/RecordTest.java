// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.Wire.BLOCKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.wire.StreamMessage.EndOfRecords;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Page records, and the preempt channel, which is made of nothing else. */
class RecordTest {
    private static final String PC_RAM = "06 70 63 2e 72 61 6d";

    private final ByteBuffer out = ByteBuffer.allocate(3 * RecordEncoder.MAX_RECORD);
    private final RecordEncoder encoder = new RecordEncoder(BLOCKS);
    private final PreemptDecoder decoder = new PreemptDecoder(BLOCKS);

    private String written() {
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        out.clear();
        return HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    @Test
    void onlyAChangeOfBlockCostsTheName() {
        encoder.zero(out, 0, 3);
        assertThat(written()).isEqualTo("00 00 00 00 00 00 30 02 " + PC_RAM + " 00");
        encoder.zero(out, 0, 4);
        assertThat(written()).isEqualTo("00 00 00 00 00 00 40 22 00");
        encoder.header(out, 0, 63);
        assertThat(written()).isEqualTo("00 00 00 00 00 03 f0 28");
        encoder.header(out, 1, 0);
        assertThat(written()).isEqualTo("00 00 00 00 00 00 00 08 03 72 6f 6d");
        encoder.header(out, 0, 0);
        assertThat(written()).isEqualTo("00 00 00 00 00 00 00 08 " + PC_RAM);
        encoder.endOfRecords(out);
        assertThat(written()).isEqualTo("00 00 00 00 00 00 00 10");
    }

    @Test
    void aNewConnectionNamesItsFirstBlock() {
        encoder.zero(out, 0, 3);
        encoder.reset();
        out.clear();

        encoder.zero(out, 0, 4);

        assertThat(written()).contains(PC_RAM);
    }

    @Test
    void aPageOutsideItsBlockIsOurMistake() {
        assertThatThrownBy(() -> encoder.zero(out, 1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> encoder.header(out, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(out.position()).isZero();
    }

    @Test
    void aPageIsSeenWhereItLies() throws Exception {
        encoder.header(out, 0, 7);
        out.put(new byte[4095]).put((byte) 9);
        encoder.zero(out, 0, 8);
        out.flip();

        PageRecord record = (PageRecord) Objects.requireNonNull(decoder.next(out));
        assertThat(record.block()).isZero();
        assertThat(record.page()).isEqualTo(7);
        assertThat(record.zero()).isFalse();
        assertThat(record.named()).isTrue();
        assertThat(out.get(record.dataPosition() + 4095)).isEqualTo((byte) 9);

        assertThat(decoder.next(out)).as("one object for all pages").isSameAs(record);
        assertThat(record.page()).isEqualTo(8);
        assertThat(record.zero()).isTrue();
        assertThat(record.named()).isFalse();
        assertThatThrownBy(record::dataPosition).isInstanceOf(IllegalStateException.class);
        assertThat(decoder.next(out)).isNull();
        assertThat(decoder.needed()).isEqualTo(8);
    }

    @Test
    void halfAPageWaitsForItsOtherHalf() throws Exception {
        encoder.header(out, 0, 7);
        out.put(new byte[4096]).flip().limit(2000);

        assertThat(decoder.next(out)).isNull();
        assertThat(decoder.needed()).isEqualTo(8 + 7 + 4096 - 2000);
        assertThat(out.position()).as("nothing is consumed").isZero();
        assertThat(decoder.next(out.limit(8 + 7 + 4096))).isNotNull();
    }

    @Test
    void thePreemptChannelBeginsWithANameAndEndsOnce() throws Exception {
        ByteBuffer continued =
                ByteBuffer.allocate(9).putLong(0x22).put((byte) 0).flip();
        assertThatThrownBy(() -> new PreemptDecoder(BLOCKS).next(continued))
                .isInstanceOf(WireException.class)
                .hasMessage("preempt channel, byte 0: a record continues the previous block, but none was named on this"
                        + " channel");

        ByteBuffer ended = ByteBuffer.allocate(17)
                .putLong(0x10)
                .putLong(0x10)
                .put((byte) 0)
                .flip();
        assertThat(decoder.next(ended.limit(8))).isEqualTo(new EndOfRecords());
        assertThat(decoder.ended()).isTrue();
        assertThat(decoder.next(ended)).isNull();
        assertThat(decoder.needed()).isZero();
        assertThatThrownBy(() -> decoder.next(ended.limit(17)))
                .hasMessage("preempt channel, byte 8: 9 bytes after the end of the channel");
    }

    @Test
    void thePreemptChannelCarriesNothingElse() {
        for (long word : new long[] {0x200, 0x004, 0x040, 0x100, 0x080, 0x001, 0x0800090000L}) {
            ByteBuffer in = ByteBuffer.allocate(8).putLong(word).flip();
            assertThatThrownBy(() -> new PreemptDecoder(BLOCKS).next(in))
                    .as("word 0x%x", word)
                    .isInstanceOf(WireException.class)
                    .hasMessageStartingWith("preempt channel, byte 0: a record with flags");
        }
    }
}
