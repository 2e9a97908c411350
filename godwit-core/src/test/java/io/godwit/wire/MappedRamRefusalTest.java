// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.MappedRamTest.FIRST_HEADER;
import static io.godwit.wire.MappedRamTest.ID;
import static io.godwit.wire.MappedRamTest.all;
import static io.godwit.wire.MappedRamTest.begin;
import static io.godwit.wire.MappedRamTest.configuration;
import static io.godwit.wire.MappedRamTest.reader;
import static io.godwit.wire.MappedRamTest.small;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.Header;
import io.godwit.wire.StreamMessage.SectionPart;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Mapped-ram files that are cut off or wrong: each is told with its place, and nothing is allocated by what it says alone. */
class MappedRamRefusalTest {
    @Test
    void aCutAnywhereIsTold() throws Exception {
        SparseFile whole = small();
        byte[] bytes = whole.toBytes();
        int streamEnd = FIRST_HEADER + MappedArea.HEADER;
        List<Integer> cuts = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            cuts.add(Math.min(i, streamEnd + 40));
            cuts.add(bytes.length - 1 - i % 120);
            cuts.add(streamEnd + i * ((bytes.length - streamEnd) / 200));
        }
        for (int cut : cuts) {
            SparseFile file = new SparseFile(bytes, null);
            file.cut(cut);
            MappedRamReader reader = reader(file, 0);
            WireException refusal = catchThrowableOfType(WireException.class, () -> all(reader));

            assertThat(refusal).as("cut at byte %d", cut).hasMessageContaining("the file ends here");
        }
        assertThat(all(reader(whole, 0))).hasSize(11);
    }

    /** Byte of the first block's header or its entry, the value of 8 bytes there, words of the reason. */
    @ParameterizedTest
    @CsvSource({
        "0, 0x0000000200000000, 4, header of version 2",
        "0, 0xffffffff00000000, 4, header of version 4294967295",
        "4, 8192, 12, pages of 8192 bytes",
        "4, 0, 12, pages of 0 bytes",
        "12, 0, 20, bitmap at position 0",
        "12, 0x8000000000000000, 20, bitmap at position 9223372036854775808",
        "12, 0x7fffffffffffffff, 20, bitmap at position 9223372036854775807",
        "20, 0, 28, pages at position 0",
        "20, 0x100001, 28, pages at position 1048577",
        "20, 0x8000000000000000, 28, pages at position 9223372036854775808",
        "20, 0x7ffffffffffff000, 28, pages at position 9223372036854771712",
    })
    void aWrongHeaderIsTold(int at, String value, int end, String reason) throws Exception {
        byte[] bytes = small().toBytes();
        ByteBuffer.wrap(bytes).putLong(FIRST_HEADER + at, Long.parseUnsignedLong(hex(value), hexRadix(value)));
        WireException refusal =
                catchThrowableOfType(WireException.class, () -> all(reader(new SparseFile(bytes, null), 0)));

        assertThat(refusal.reason()).startsWith("RAM block 'pc.ram': ").contains(reason);
        assertThat(refusal.offset()).isBetween((long) FIRST_HEADER + at - 8, (long) FIRST_HEADER + end);
    }

    private static String hex(String value) {
        return value.startsWith("0x") ? value.substring(2) : value;
    }

    private static int hexRadix(String value) {
        return value.startsWith("0x") ? 16 : 10;
    }

    @Test
    void oneBehindItsHeaderIsTheFirstPlaceForABitmap() throws Exception {
        byte[] bytes = small().toBytes();
        ByteBuffer.wrap(bytes).putLong(FIRST_HEADER + 12, FIRST_HEADER + MappedArea.HEADER - 1);

        assertThatThrownBy(() -> all(reader(new SparseFile(bytes, null), 0)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("not behind its header");
    }

    @Test
    void aBlockThatTheFileCannotHoldIsNotBelieved() throws Exception {
        SparseFile file = small();
        byte[] bytes = file.toBytes();
        // 16 TiB: its bitmap alone would be half a gigabyte.
        long length = 1L << 44;
        ByteBuffer.wrap(bytes).putLong(FIRST_HEADER - 8, length);
        ByteBuffer.wrap(bytes).putLong(FIRST_HEADER - 8 - 7 - 8, length | 4);
        ByteBuffer.wrap(bytes).putLong(FIRST_HEADER + 20, 1L << 30);
        MappedRamReader reader = reader(new SparseFile(bytes, null), 0);

        WireException refusal = catchThrowableOfType(WireException.class, () -> all(reader));

        assertThat(refusal).hasMessageContaining("the file ends here");
        assertThat(refusal.offset()).isEqualTo((1L << 30) + length);
    }

    @Test
    void aBitmapIsMadeOnlyIfTheFileHoldsItsBlock() throws Exception {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = new MappedRamWriter(file, 0);
        writer.write(new Header());
        writer.write(configuration("mapped-ram"));
        writer.write(StreamMessage.SectionStart.ram(ID));
        // 16 TiB: the bitmap alone would be half a gigabyte. It is the last block, so nothing is read behind it yet.
        writer.blocks(StreamMessage.MemSize.of(List.of(BlockInfo.of("pc.ram", 1L << 44))));
        MappedRamReader reader = reader(file, 0);
        StreamMessage message = reader.next();
        while (!(message instanceof StreamMessage.MemSize)) {
            message = reader.next();
        }

        assertThatThrownBy(() -> reader.bitmap(0))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("the file ends within the pages of 'pc.ram'");
    }

    @Test
    void aBitForNoPageIsTold() throws Exception {
        byte[] bytes = small().toBytes();
        int bitmap = FIRST_HEADER + MappedArea.HEADER;
        bytes[bitmap + 300 / 8] = 0x10;
        MappedRamReader reader = reader(new SparseFile(bytes, null), 0);
        all(reader);

        assertThatThrownBy(() -> reader.bitmap(0))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("has a page past its block")
                .hasMessageContaining("byte " + (bitmap + 32));
    }

    @Test
    void aPageInTheStreamIsTold() throws Exception {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = begin(file, 0);
        writer.write(new SectionPart(ID));
        file.write(writer.position(), ByteBuffer.allocate(8).putLong(0x1008).flip());

        assertThatThrownBy(() -> all(reader(file, 0)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("word 0x1008 in a mapped-ram file");
    }

    @Test
    void theCapabilityIsOnAtBothEnds() {
        DecoderOptions mapped = DecoderOptions.PLAIN.withMappedRam(0);
        Wire plain = new Wire().message(new Header()).message(configuration()).u8(1);
        Wire onThere = new Wire()
                .message(new Header())
                .message(configuration("mapped-ram"))
                .u8(1);

        assertThat(plain.refusal(new StreamDecoder(StreamLimits.DEFAULT, mapped)))
                .hasMessageContaining("capability mapped-ram is on here and off at the source");
        assertThat(onThere.refusal()).isInstanceOf(UnsupportedOnWireException.class);
        assertThatThrownBy(() -> DecoderOptions.PLAIN.withMappedRam(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void wrongBytesAreRefusedOrTaken() throws Exception {
        Random random = Seed.random("wrongBytesAreRefusedOrTaken");
        byte[] right = small().toBytes();
        int refused = 0;
        for (int i = 0; i < 800; i++) {
            byte[] bytes = right.clone();
            int end = random.nextBoolean() ? FIRST_HEADER + MappedArea.HEADER + 40 : bytes.length;
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                bytes[random.nextInt(end)] ^= (byte) (1 + random.nextInt(255));
            }
            MappedRamReader reader = reader(new SparseFile(bytes, random.nextInt(4) == 0 ? random : null), 0);
            try {
                all(reader);
                reader.bitmap(0);
                reader.pages(0, 299, ByteBuffer.allocate(Pages.SIZE));
            } catch (WireException e) {
                assertThat(e.offset()).isNotNegative();
                assertThat(e.reason()).isNotEmpty();
                refused++;
            }
        }
        assertThat(refused)
                .as("most mutations of what stands at the beginning hurt")
                .isGreaterThan(150);
    }
}
