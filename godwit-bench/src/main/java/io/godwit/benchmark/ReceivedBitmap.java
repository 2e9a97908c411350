// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A recovery's received bitmap of a block of 4 GiB on the return path, in pieces of 64 KiB. All figures are per page. What decoding allocates is the
 * bitmap itself: an eighth of a byte per page.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class ReceivedBitmap {
    private static final int PAGES = 1 << 20;
    private static final int PIECE = 64 << 10;

    private final BlockTable blocks = new BlockTable(List.of(BlockInfo.of("pc.ram", (long) PAGES << Pages.SHIFT)));
    private final ReturnPathMessage.RecvBitmap message = new ReturnPathMessage.RecvBitmap(0, new PageBitmap(PAGES));
    private final ReturnPathEncoder encoder = new ReturnPathEncoder(blocks);
    private final ReturnPathDecoder decoder = new ReturnPathDecoder(blocks);
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    private ByteBuffer bytes = ByteBuffer.allocateDirect(0);

    /** Half of the pages, the same each time. */
    @Setup
    public void fill() {
        var random = new SplittableRandom(1);
        for (int w = 0; w < message.bitmap().wordCount(); w++) {
            message.bitmap().setWord(w, random.nextLong());
        }
        bytes = ByteBuffer.allocateDirect(encoder.size(message));
        encoder.write(message, bytes);
        bytes.flip();
    }

    /** From the bitmap into the buffer. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int encode() {
        ReturnPathEncoder.BitmapWriter writer = encoder.bitmap(message);
        int pieces = 1;
        while (!writer.write(piece.clear())) {
            pieces++;
        }
        return pieces;
    }

    /** From the buffer into a bitmap of its own. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public ReturnPathMessage decode() throws WireException {
        bytes.clear();
        ReturnPathMessage decoded = null;
        while (decoded == null) {
            bytes.limit(Math.min(bytes.capacity(), bytes.position() + PIECE));
            decoded = decoder.next(bytes);
        }
        return decoded;
    }
}
