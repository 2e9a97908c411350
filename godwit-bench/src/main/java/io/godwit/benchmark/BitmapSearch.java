// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.page.PageBitmap;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The background scan for the next page to send: one set bit in {@code gap} pages of a block of 4 GiB. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BitmapSearch {
    private static final long PAGES = 1L << 20;

    @Param({"1", "64", "65536"})
    private int gap;

    private PageBitmap bitmap = new PageBitmap(1);
    private long at;

    /** Fills the bitmap, the same each time. */
    @Setup
    public void fill() {
        var random = new SplittableRandom(1);
        bitmap = new PageBitmap(PAGES);
        for (long i = 0; i < PAGES / gap; i++) {
            bitmap.set(random.nextLong(PAGES));
        }
        at = 0;
    }

    /** From one set page to the next, beginning anew at the end. */
    @Benchmark
    public long next() {
        long found = bitmap.nextSet(at);
        at = found < 0 || found == PAGES - 1 ? 0 : found + 1;
        return found;
    }
}
