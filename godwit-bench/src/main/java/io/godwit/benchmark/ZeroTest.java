// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
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

/** Whether a page is all zero, for one page that stays in the cache; pages from DRAM are bound by memory. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class ZeroTest {
    /** The one byte of the page that is set. */
    public enum Place {
        NONE(-1),
        FIRST(0),
        /** Not in one of the words that are looked at first. */
        LATE(Pages.SIZE - 9),
        LAST(Pages.SIZE - 1);

        private final int position;

        Place(int position) {
            this.position = position;
        }
    }

    @Param
    private Place set = Place.NONE;

    private final MemorySegment segment = Arena.ofAuto().allocate(Pages.SIZE, Pages.SIZE);
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Pages.SIZE);

    /** Sets the byte. */
    @Setup
    public void fill() {
        if (set.position >= 0) {
            segment.set(ValueLayout.JAVA_BYTE, set.position, (byte) 1);
            buffer.put(set.position, (byte) 1);
        }
    }

    /** A page of guest memory. */
    @Benchmark
    public boolean memory() {
        return ZeroPage.isZero(segment, 0);
    }

    /** A page in a buffer. */
    @Benchmark
    public boolean buffer() {
        return ZeroPage.isZero(buffer, 0);
    }
}
