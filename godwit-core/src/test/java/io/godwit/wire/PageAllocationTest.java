// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pages never become objects: what the hot path allocates does not grow with their number. */
class PageAllocationTest {
    private static final int PAGES = 60;
    private static final int ROUNDS = 2_000;
    /** What the JVM itself may allocate beside, on a thread that is being compiled for: far below a byte per page. */
    private static final long SLACK = 16 << 10;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(PAGES * RecordEncoder.MAX_RECORD + 100);
    private final ByteBuffer page = ByteBuffer.allocateDirect(Pages.SIZE).put(17, (byte) 1);

    interface Round {
        void run() throws WireException;
    }

    /** {@code com.sun.management.ThreadMXBean}, by reflection: the core's module reads no management module, and need not for a test. */
    private static long allocatedBytes() throws ReflectiveOperationException {
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        Method method = Class.forName("com.sun.management.ThreadMXBean").getMethod("getCurrentThreadAllocatedBytes");
        return (Long) method.invoke(threads);
    }

    private static void allocatesNothing(Round round) throws Exception {
        allocates(0, round);
    }

    /** At most this many bytes per round, for all its pages together. */
    private static void allocates(long perRound, Round round) throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        long before = allocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        long allocated = allocatedBytes() - before;

        assertThat(allocated).as("bytes for %d pages", PAGES * ROUNDS).isLessThan(SLACK + perRound * ROUNDS);
    }

    private void encode(RecordEncoder encoder) {
        for (int i = 0; i < PAGES; i++) {
            int block = i % 7 == 0 ? 1 : 0;
            if (ZeroPage.isZero(page, 0) || i % 3 == 0) {
                encoder.zero(buffer, block, block == 1 ? 0 : i);
            } else {
                encoder.header(buffer, block, block == 1 ? 0 : i);
                buffer.put(buffer.position(), page, 0, Pages.SIZE).position(buffer.position() + Pages.SIZE);
            }
        }
    }

    @Test
    void encoding() throws Exception {
        RecordEncoder encoder = new RecordEncoder(Wire.BLOCKS);
        allocatesNothing(() -> {
            buffer.clear();
            encode(encoder);
        });
    }

    @Test
    void decodingTheMainChannel() throws Exception {
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        Wire.afterStart().message(new StreamMessage.SectionPart(Wire.RAM_ID)).decode(decoder);
        encode(new RecordEncoder(Wire.BLOCKS));
        buffer.flip();
        long[] bytes = new long[1];
        allocatesNothing(() -> {
            buffer.rewind();
            for (StreamMessage m = decoder.next(buffer); m != null; m = decoder.next(buffer)) {
                if (m instanceof PageRecord record && !record.zero()) {
                    bytes[0] += buffer.get(record.dataPosition() + 17);
                }
            }
        });

        assertThat(bytes[0]).isEqualTo(2L * ROUNDS * (PAGES - PAGES / 3));
    }

    /** A page changes by a difference and comes as a zlib stream, in turn. */
    @Test
    void decodingAndMakingEncodedPages() throws Exception {
        StreamDecoder decoder = new StreamDecoder(
                StreamLimits.DEFAULT, DecoderOptions.PLAIN.withXbzrle(true).withCompress(true));
        Wire.afterStart().message(new StreamMessage.SectionPart(Wire.RAM_ID)).decode(decoder);
        ByteBuffer made = ByteBuffer.allocateDirect(Pages.SIZE);
        encodeBothWays(new RecordEncoder(Wire.BLOCKS), made);
        buffer.flip();
        long[] bytes = new long[1];
        try (PageInflater inflater = new PageInflater()) {
            allocatesNothing(() -> {
                buffer.rewind();
                for (StreamMessage m = decoder.next(buffer); m != null; m = decoder.next(buffer)) {
                    if (m instanceof EncodedPage record && record.encoding() == EncodedPage.Encoding.XBZRLE) {
                        Xbzrle.apply(record, made, 0);
                    } else if (m instanceof EncodedPage record) {
                        inflater.inflate(record, made.clear());
                    }
                    bytes[0] += made.get(17);
                }
            });
        }

        assertThat(bytes[0])
                .as("1 of the zlib stream, then 5 of the difference")
                .isEqualTo(2L * ROUNDS * PAGES / 2 * 6);
    }

    private void encodeBothWays(RecordEncoder encoder, ByteBuffer changed) {
        changed.put(17, (byte) 5);
        Deflater deflater = new Deflater();
        deflater.setInput(page.duplicate().position(0));
        deflater.finish();
        ByteBuffer zlib = ByteBuffer.allocate(200);
        deflater.deflate(zlib);
        deflater.end();
        ByteBuffer delta = ByteBuffer.allocate(20);
        Xbzrle.encode(page, 0, changed, 0, delta, 20);
        for (int i = 0; i < PAGES; i += 2) {
            encoder.word(buffer, 0, i, WireFormat.FLAG_COMPRESS);
            buffer.putInt(zlib.position()).put(zlib.duplicate().flip());
            encoder.xbzrle(buffer, 0, i, delta.position());
            buffer.put(delta.duplicate().flip());
        }
    }

    /** A zlib or zstd stream can't be decoded twice from the middle, so its packets are encoded for each round. */
    @ParameterizedTest
    @EnumSource(MultifdCompression.class)
    void multifdBothWays(MultifdCompression compression) throws Exception {
        ByteBuffer wire = ByteBuffer.allocateDirect(MultifdEncoder.MAX_PACKET);
        byte[] init = MultifdWire.channel(compression);
        long[] seen = new long[1];
        try (MultifdEncoder encoder = new MultifdEncoder(Wire.BLOCKS, compression, 1, true);
                MultifdDecoder decoder = MultifdWire.decoder(compression)) {
            decoder.next(ByteBuffer.wrap(init));
            // zstd-jni allocates some 400 bytes per call, one of which serves a whole packet.
            allocates(compression == MultifdCompression.ZSTD ? 1024 : 0, () -> {
                encoder.begin(wire.clear(), 0);
                for (int i = 0; i < PAGES; i++) {
                    if (i % 3 == 0) {
                        encoder.zero(i);
                    } else {
                        ByteBuffer out = encoder.page(i);
                        out.put(out.position(), page, 0, Pages.SIZE).position(out.position() + Pages.SIZE);
                    }
                }
                encoder.end(seen[0]);
                wire.flip();
                for (MultifdMessage m = decoder.next(wire); m != null; m = decoder.next(wire)) {
                    if (m instanceof MultifdPage p && !p.zero()) {
                        seen[0] += p.buffer().get(p.dataPosition() + 17);
                    }
                }
            });
        }

        assertThat(seen[0]).isEqualTo(2L * ROUNDS * (PAGES - PAGES / 3));
    }

    @Test
    void decodingThePreemptChannel() throws Exception {
        PreemptDecoder decoder = new PreemptDecoder(Wire.BLOCKS);
        encode(new RecordEncoder(Wire.BLOCKS));
        buffer.flip();
        PageBitmap bitmap = new PageBitmap(64);
        allocatesNothing(() -> {
            buffer.rewind();
            for (StreamMessage m = decoder.next(buffer); m != null; m = decoder.next(buffer)) {
                if (m instanceof PageRecord record) {
                    bitmap.clear(record.page());
                    bitmap.set(record.page());
                }
            }
        });

        assertThat(bitmap.cardinality()).isGreaterThan(40);
    }
}
