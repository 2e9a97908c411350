// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One page record to bytes and back, in batches of {@link #BATCH} from and to one buffer. Encoding is the same for both channels. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PageRecords {
    private static final int BATCH = 64;
    private static final int RAM_SECTION = 2;

    /** What the records carry. */
    public enum Kind {
        /** A page with its 4096 bytes; the block is that of the record before. */
        NORMAL,
        /** A page of zeroes; the block is that of the record before. */
        ZERO,
        /** A page with its 4096 bytes and its block's name. */
        NAMED
    }

    @Param
    private Kind kind = Kind.NORMAL;

    private final BlockTable blocks = new BlockTable(List.of(
            BlockInfo.of("pc.ram", 1L << 30), BlockInfo.of("0000:00:02.0/vga.vram", (long) BATCH * Pages.SIZE)));
    private final ByteBuffer page = ByteBuffer.allocateDirect(Pages.SIZE);
    private final ByteBuffer out = ByteBuffer.allocateDirect(BATCH * RecordEncoder.MAX_RECORD);
    private final ByteBuffer in = ByteBuffer.allocateDirect(BATCH * RecordEncoder.MAX_RECORD);
    private final RecordEncoder encoder = new RecordEncoder(blocks);
    private final PreemptDecoder preempt = new PreemptDecoder(blocks);
    private final StreamDecoder main =
            StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, new StreamContext(blocks, RAM_SECTION));

    /** Prepares the bytes that are decoded, and names a block to each channel, as a first record does. */
    @Setup
    public void prepare() throws WireException {
        var random = new SplittableRandom(1);
        for (int i = 0; i < Pages.SIZE; i += Long.BYTES) {
            page.putLong(i, random.nextLong());
        }
        RecordEncoder first = new RecordEncoder(blocks);
        first.zero(in, 0, 0);
        preempt.next(in.flip());
        byte[] part = StreamEncoder.bytes(new StreamMessage.SectionPart(RAM_SECTION));
        in.clear().put(part);
        new RecordEncoder(blocks).zero(in, 0, 0);
        in.flip();
        while (main.next(in) != null) {
            // The PART's beginning and its first record.
        }
        batch(first, in.clear());
        in.flip();
    }

    private void batch(RecordEncoder records, ByteBuffer into) {
        for (int i = 0; i < BATCH; i++) {
            // Blocks that alternate name each record's block.
            int block = kind == Kind.NAMED ? i & 1 : 0;
            if (kind == Kind.ZERO) {
                records.zero(into, block, i);
            } else {
                records.header(into, block, i);
                into.put(into.position(), page, 0, Pages.SIZE).position(into.position() + Pages.SIZE);
            }
        }
    }

    /** Record and page into a buffer. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int encode() {
        batch(encoder, out.clear());
        return out.position();
    }

    /** Records of the main channel; the page's bytes are looked at, not moved. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long decodeMain() throws WireException {
        in.rewind();
        long sum = 0;
        for (StreamMessage m = main.next(in); m != null; m = main.next(in)) {
            sum += look(m);
        }
        return sum;
    }

    /** Records of the preempt channel; the page's bytes are looked at, not moved. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long decodePreempt() throws WireException {
        in.rewind();
        long sum = 0;
        for (StreamMessage m = preempt.next(in); m != null; m = preempt.next(in)) {
            sum += look(m);
        }
        return sum;
    }

    private long look(StreamMessage message) {
        if (!(message instanceof PageRecord record)) {
            throw new IllegalStateException("no page record: " + message);
        }
        return record.block() + record.page() + (record.zero() ? 0 : in.getLong(record.dataPosition()));
    }
}
