// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

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
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        long before = allocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        long allocated = allocatedBytes() - before;

        assertThat(allocated).as("bytes for %d pages", PAGES * ROUNDS).isLessThan(SLACK);
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
