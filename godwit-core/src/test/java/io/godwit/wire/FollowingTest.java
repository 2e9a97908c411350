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
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pages that are taken together are those that come one by one, wherever the bytes are cut. */
class FollowingTest {
    private static final BlockTable BLOCKS = new BlockTable(List.of(
            BlockInfo.of("pc.ram", 64L * Pages.SIZE),
            BlockInfo.of("rom", 4L * Pages.SIZE),
            BlockInfo.of("vga", 16L * Pages.SIZE)));

    /** What came, a line for each page: block, page, and its first word. */
    private final List<String> came = new ArrayList<>();

    private int together;

    private void page(int block, long page, ByteBuffer in, int position) {
        came.add(block + ":" + page + " " + in.getLong(position));
    }

    /** A recovery's stream: sections of records, runs of neighbours among them, and pages of zeroes. */
    private static byte[] stream(Random random) {
        ByteBuffer out = ByteBuffer.allocate(400 * RecordEncoder.MAX_RECORD);
        RecordEncoder records = new RecordEncoder(BLOCKS);
        for (int section = 0; section < 4; section++) {
            StreamEncoder.write(new StreamMessage.SectionPart(7), out);
            for (int n = random.nextInt(8); n > 0; n--) {
                int block = random.nextInt(BLOCKS.size());
                long pages = BLOCKS.get(block).pages();
                long first = random.nextLong(pages);
                int count = (int) Math.min(1 + random.nextInt(20), pages - first);
                run(records, out, random, block, first, count);
            }
            records.endOfRecords(out);
            StreamEncoder.write(new StreamMessage.Footer(7), out);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    private static void run(RecordEncoder records, ByteBuffer out, Random random, int block, long first, int count) {
        if (random.nextInt(3) == 0) {
            for (int i = 0; i < count; i++) {
                records.zero(out, block, first + i);
            }
            return;
        }
        records.header(out, block, first);
        content(out, random);
        int at = out.position();
        for (int i = 1; i < count; i++) {
            content(out.position(out.position() + Long.BYTES), random);
        }
        records.headers(out, at, first + 1, count - 1);
    }

    private static void content(ByteBuffer out, Random random) {
        out.putLong(random.nextLong()).position(out.position() + Pages.SIZE - Long.BYTES);
    }

    private void decode(byte[] bytes, Random pieces, boolean joined) throws WireException {
        came.clear();
        StreamDecoder decoder =
                StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, new StreamContext(BLOCKS, 7));
        ByteBuffer in = ByteBuffer.wrap(bytes).limit(0);
        while (in.limit() < bytes.length) {
            in.limit(Math.min(bytes.length, in.limit() + 1 + pieces.nextInt(90_000)));
            for (StreamMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
                if (m instanceof PageRecord record && record.zero()) {
                    came.add(record.block() + ":" + record.page() + " zero");
                } else if (m instanceof PageRecord record) {
                    int more = joined ? decoder.following(in) : 0;
                    together += more;
                    for (int i = 0; i <= more; i++) {
                        page(record.block(), record.page() + i, in, record.dataPosition() + i * PageRecord.STRIDE);
                    }
                }
            }
            assertThat(decoder.offset()).as("what was consumed is counted").isEqualTo(in.position());
        }
        assertThat(in.remaining()).isZero();
    }

    @Test
    void onTheMainChannel() throws Exception {
        Random random = Seed.random("onTheMainChannel");
        for (int i = 0; i < 300; i++) {
            byte[] bytes = stream(random);
            decode(bytes, random, false);
            List<String> oneByOne = List.copyOf(came);
            decode(bytes, random, true);
            assertThat(came).isEqualTo(oneByOne);
        }
        assertThat(together).isPositive();
    }

    @Test
    void nothingPastTheEndOfTheBlockIsTaken() throws Exception {
        ByteBuffer out = ByteBuffer.allocate(4 * RecordEncoder.MAX_RECORD);
        StreamEncoder.write(new StreamMessage.SectionPart(7), out);
        RecordEncoder records = new RecordEncoder(BLOCKS);
        records.header(out, 1, 3);
        out.position(out.position() + Pages.SIZE);
        out.putLong(4L << Pages.SHIFT | WireFormat.FLAG_PAGE | WireFormat.FLAG_CONTINUE)
                .position(out.position() + Pages.SIZE);
        StreamDecoder decoder =
                StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, new StreamContext(BLOCKS, 7));
        out.flip();
        decoder.next(out);
        assertThat(decoder.next(out)).isInstanceOf(PageRecord.class);

        assertThat(decoder.following(out)).isZero();
        assertThatThrownBy(() -> decoder.next(out))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("past the end of block 'rom'");
    }

    @ParameterizedTest
    @EnumSource(MultifdCompression.class)
    void onAMultifdChannel(MultifdCompression compression) throws Exception {
        Random random = Seed.random("onAMultifdChannel");
        for (int i = 0; i < 60; i++) {
            byte[] bytes = MultifdWire.channel(compression, load(random), load(random), load(random));
            packets(compression, bytes, random, false);
            List<String> oneByOne = List.copyOf(came);
            packets(compression, bytes, random, true);
            assertThat(came).isEqualTo(oneByOne);
        }
        assertThat(together).isPositive();
    }

    /** Neighbours, with gaps and pages of zeroes between them. */
    private static Load load(Random random) {
        long[] pages = new long[1 + random.nextInt(30)];
        long page = 1;
        for (int i = 0; i < pages.length; i++) {
            page += random.nextInt(5) == 0 ? 2 : 1;
            pages[i] = random.nextInt(6) == 0 ? -page : page;
        }
        return new Load(0, pages);
    }

    private void packets(MultifdCompression compression, byte[] bytes, Random pieces, boolean joined)
            throws WireException {
        came.clear();
        try (MultifdDecoder decoder = MultifdWire.decoder(compression)) {
            ByteBuffer in = ByteBuffer.wrap(bytes).limit(0);
            while (in.limit() < bytes.length) {
                in.limit(Math.min(bytes.length, in.limit() + 1 + pieces.nextInt(60_000)));
                for (MultifdMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
                    if (m instanceof MultifdPage page && page.zero()) {
                        came.add(page.block() + ":" + page.page() + " zero");
                    } else if (m instanceof MultifdPage page) {
                        int more = joined ? decoder.following(in) : 0;
                        together += more;
                        for (int i = 0; i <= more; i++) {
                            page(page.block(), page.page() + i, page.buffer(), page.dataPosition() + i * Pages.SIZE);
                        }
                    }
                }
                assertThat(decoder.offset()).isEqualTo(in.position());
            }
        }
    }

    @Test
    void neighboursOfASectionAreWrittenAsOneByOne() {
        ByteBuffer single = ByteBuffer.allocate(20 * RecordEncoder.MAX_RECORD);
        ByteBuffer joined = ByteBuffer.allocate(20 * RecordEncoder.MAX_RECORD);
        RecordEncoder records = new RecordEncoder(BLOCKS);
        for (int page = 5; page < 20; page++) {
            records.header(single, 0, page);
            single.put(MultifdWire.page(page));
        }

        records.reset();
        records.header(joined, 0, 5);
        joined.put(MultifdWire.page(5));
        int at = joined.position();
        for (int page = 6; page < 20; page++) {
            joined.position(joined.position() + Long.BYTES).put(MultifdWire.page(page));
        }
        records.headers(joined, at, 6, 14);
        assertThat(joined.flip()).isEqualTo(single.flip());
        assertThatThrownBy(() -> records.headers(joined, 0, 60, 5)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void neighboursOfAPacketAreWrittenAsOneByOne() {
        ByteBuffer single = ByteBuffer.allocate(MultifdEncoder.MAX_PACKET);
        ByteBuffer joined = ByteBuffer.allocate(MultifdEncoder.MAX_PACKET);
        try (MultifdEncoder encoder = new MultifdEncoder(BLOCKS, MultifdCompression.NONE, 0, true)) {
            encoder.begin(single, 0);
            for (int page = 5; page < 20; page++) {
                encoder.page(page).put(MultifdWire.page(page));
            }
            encoder.end(1);

            encoder.begin(joined, 0);
            encoder.page(5).put(MultifdWire.page(5));
            ByteBuffer data = encoder.pages(6, 14);
            for (int page = 6; page < 20; page++) {
                data.put(MultifdWire.page(page));
            }
            encoder.end(1);
            assertThat(joined.flip()).isEqualTo(single.flip());

            encoder.begin(joined.clear(), 0);
            assertThatThrownBy(() -> encoder.pages(60, 5)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
