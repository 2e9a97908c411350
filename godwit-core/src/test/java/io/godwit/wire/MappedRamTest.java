// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.EndOfRecords;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.Footer;
import io.godwit.wire.StreamMessage.Header;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.SectionEnd;
import io.godwit.wire.StreamMessage.SectionPart;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.StreamMessage.VmDescription;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Mapped-ram files that we write; wrong ones are in {@link MappedRamRefusalTest}. */
class MappedRamTest {
    private static final BlockInfo RAM = BlockInfo.of("pc.ram", 300 * Pages.SIZE);
    private static final BlockInfo ROM = BlockInfo.of("rom", Pages.SIZE);
    static final int ID = 3;
    /** Where the header of the first block begins in a file that starts at 0. */
    static final int FIRST_HEADER = firstHeader();

    static Configuration configuration(String... capabilities) {
        return new Configuration("pc", OptionalInt.empty(), List.of(capabilities), null);
    }

    private static int firstHeader() {
        return 8
                + StreamEncoder.size(configuration("mapped-ram"))
                + StreamEncoder.size(SectionStart.ram(ID))
                + 8
                + 7
                + 8;
    }

    static ByteBuffer page(int fill) {
        ByteBuffer page = ByteBuffer.allocate(Pages.SIZE);
        while (page.hasRemaining()) {
            page.put((byte) fill);
        }
        return page.flip();
    }

    static MappedRamWriter begin(SparseFile file, long start) throws IOException {
        MappedRamWriter writer = new MappedRamWriter(file, start);
        writer.write(new Header());
        writer.write(configuration("mapped-ram"));
        writer.write(SectionStart.ram(ID));
        writer.blocks(MemSize.of(List.of(RAM, ROM)));
        writer.write(new EndOfRecords());
        writer.write(new Footer(ID));
        return writer;
    }

    static void end(MappedRamWriter writer) throws IOException {
        writer.write(new SectionEnd(ID));
        writer.write(new EndOfRecords());
        writer.write(new Footer(ID));
        writer.write(new EndOfStream());
        writer.write(new VmDescription(new byte[] {'{', '}'}));
    }

    static SparseFile small() throws IOException {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = begin(file, 0);
        writer.pages(0, 299, page(7));
        end(writer);
        return file;
    }

    static MappedRamReader reader(SparseFile file, long start) {
        return new MappedRamReader(file, start, StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    }

    static List<StreamMessage> all(MappedRamReader reader) throws Exception {
        List<StreamMessage> messages = new ArrayList<>();
        for (StreamMessage m = reader.next(); m != null; m = reader.next()) {
            messages.add(m);
        }
        return messages;
    }

    @Test
    void theLastContentOfAPageCounts() throws Exception {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = begin(file, 0);
        writer.pages(0, 10, page(1));
        writer.pages(0, 11, page(2));
        writer.write(new SectionPart(ID));
        writer.write(new EndOfRecords());
        writer.write(new Footer(ID));
        writer.pages(0, 10, page(3));
        writer.zero(0, 11);
        writer.zero(1, 0);
        end(writer);

        MappedRamReader reader = reader(file, 0);
        List<StreamMessage> messages = all(reader);

        assertThat(messages).hasSize(14).endsWith(new EndOfStream(), new VmDescription(new byte[] {'{', '}'}));
        PageBitmap expected = new PageBitmap(300);
        expected.set(10);
        assertThat(reader.bitmap(0)).isEqualTo(expected);
        assertThat(reader.bitmap(1)).isEqualTo(new PageBitmap(1));
        ByteBuffer two = ByteBuffer.allocate(2 * Pages.SIZE + 5);
        reader.pages(0, 10, two);
        assertThat(two.position()).isEqualTo(2 * Pages.SIZE);
        assertThat(two.limit()).isEqualTo(2 * Pages.SIZE + 5);
        assertThat(two.get(0)).isEqualTo((byte) 3);
        assertThat(two.get(Pages.SIZE)).as("stale, and not to be looked at").isEqualTo((byte) 2);
    }

    @Test
    void whatStandsBeforeTheStreamIsLeftAlone() throws Exception {
        long start = 4099;
        byte[] before = new byte[5000];
        Seed.random("whatStandsBeforeTheStreamIsLeftAlone").nextBytes(before);
        SparseFile file = new SparseFile(before, null);
        MappedRamWriter writer = begin(file, start);
        writer.pages(0, 0, page(9));
        end(writer);

        MappedRamReader reader = reader(file, start);
        MemSize list = (MemSize) all(reader).get(3);

        assertThat(file.written.nextSetBit(0)).isEqualTo((int) start);
        assertThat(list.blocks().getFirst().area())
                .as("positions are those in the file")
                .contains(new MappedArea(start + FIRST_HEADER + MappedArea.HEADER, 1 << 20));
        assertThat(reader.bitmap(0).cardinality()).isEqualTo(1);
        assertThat(reader.position()).isEqualTo(file.size());
    }

    @Test
    void filesRoundTripWithAddressesToo() throws Exception {
        Random random = Seed.random("filesRoundTripWithAddressesToo");
        for (int i = 0; i < 30; i++) {
            boolean addresses = random.nextBoolean();
            DecoderOptions options = DecoderOptions.PLAIN.withIgnoreShared(addresses);
            List<MemSize.Block> blocks = new ArrayList<>();
            for (int n = 1 + random.nextInt(4); n > 0; n--) {
                blocks.add(new MemSize.Block(
                        BlockInfo.of("block" + n, (1L + random.nextInt(200)) * Pages.SIZE),
                        addresses ? OptionalLong.of(random.nextLong()) : OptionalLong.empty()));
            }
            SparseFile file = new SparseFile(new byte[0], random);
            MappedRamWriter writer = new MappedRamWriter(file, random.nextInt(10_000));
            long start = writer.position();
            writer.write(new Header());
            writer.write(addresses ? configuration("x-ignore-shared", "mapped-ram") : configuration("mapped-ram"));
            writer.write(SectionStart.ram(ID));
            MemSize list = writer.blocks(new MemSize(blocks));
            writer.write(new EndOfRecords());
            writer.write(new Footer(ID));
            List<PageBitmap> stored = new ArrayList<>();
            for (int block = 0; block < blocks.size(); block++) {
                stored.add(new PageBitmap(blocks.get(block).info().pages()));
                for (int n = random.nextInt(30); n > 0; n--) {
                    long p = random.nextLong(blocks.get(block).info().pages());
                    writer.pages(block, p, page((int) p + 1));
                    stored.get(block).set(p);
                }
            }
            end(writer);

            MappedRamReader reader = new MappedRamReader(file, start, StreamLimits.DEFAULT, options);
            assertThat(all(reader)).contains(list);
            for (int block = 0; block < blocks.size(); block++) {
                assertThat(reader.bitmap(block)).isEqualTo(stored.get(block));
                for (long p = stored.get(block).nextSet(0);
                        p >= 0;
                        p = stored.get(block).nextSet(p + 1)) {
                    ByteBuffer content = ByteBuffer.allocate(Pages.SIZE);
                    reader.pages(block, p, content);
                    assertThat(content.flip()).isEqualTo(page((int) p + 1));
                }
            }
        }
    }

    @Test
    void aFileWhoseWritingWasBrokenOffHoldsNoPage() throws Exception {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = begin(file, 0);
        writer.pages(0, 3, page(1));

        MappedRamReader reader = reader(file, 0);
        WireException refusal = catchThrowableOfType(WireException.class, () -> all(reader));

        assertThat(refusal).hasMessageContaining("the file ends here").hasMessageContaining("1 more bytes are due");
        assertThat(refusal.offset()).isEqualTo(file.size());
        assertThat(reader.bitmap(0).cardinality()).isZero();
    }

    @Test
    void aFileMayAlsoBeReadAsOneStream() throws Exception {
        byte[] bytes = small().toBytes();
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN.withMappedRam(0));
        List<StreamMessage> messages = new ArrayList<>();

        int left = new Feed(bytes, StreamDecoder.MIN_BUFFER)
                .<StreamMessage>all(
                        Feed.Pieces.random(Seed.random("aFileMayAlsoBeReadAsOneStream"), 9_000),
                        decoder::next,
                        messages::add);

        assertThat(left).isZero();
        assertThat(decoder.ended()).isTrue();
        assertThat(messages).isEqualTo(all(reader(new SparseFile(bytes, null), 0)));
    }

    @Test
    void ourOwnMistakesAreToldFromThePeers() throws Exception {
        SparseFile file = new SparseFile();
        MappedRamWriter writer = begin(file, 0);

        assertThatThrownBy(() -> writer.pages(0, 300, page(1))).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> writer.pages(1, -1, page(1))).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> writer.pages(0, 0, page(1).limit(9))).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> writer.zero(0, 300)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> writer.write(MemSize.of(List.of(RAM)))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> writer.blocks(MemSize.of(List.of(RAM)))).isInstanceOf(IllegalStateException.class);
        end(writer);
        MappedRamReader reader = reader(file, 0);
        assertThatThrownBy(() -> reader.bitmap(0)).isInstanceOf(IllegalStateException.class);
        MemSize list = (MemSize) all(reader).get(3);
        assertThatThrownBy(() -> reader.pages(0, 299, ByteBuffer.allocate(2 * Pages.SIZE)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> StreamEncoder.bytes(list)).isInstanceOf(IllegalArgumentException.class);
        assertThat(list.blocks().get(1).area().orElseThrow().pages()).isEqualTo((3 << 20));
    }
}
