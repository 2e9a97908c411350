// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.memory.XxHash64;
import io.godwit.page.Pages;
import io.godwit.sys.XxHashLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** XXH64 of one page that stays in the cache. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PageHash {
    private static final int WORDS = Pages.SIZE / Long.BYTES;

    private final MemorySegment segment = Arena.ofAuto().allocate(Pages.SIZE, Pages.SIZE);
    private final XxHashLibrary library =
            Objects.requireNonNull(XxHashLibrary.over(segment.asByteBuffer()), "libxxhash is not on this machine");
    private final long[] words = new long[WORDS];

    /** Random bytes, the same each time. */
    @Setup
    public void fill() {
        var random = new SplittableRandom(1);
        for (int i = 0; i < WORDS; i++) {
            words[i] = random.nextLong();
            segment.setAtIndex(ValueLayout.JAVA_LONG, i, words[i]);
        }
    }

    /** A page of guest memory. */
    @Benchmark
    public long memory() {
        return XxHash64.hash(segment, 0, Pages.SIZE, 0);
    }

    /** The same by libxxhash. */
    @Benchmark
    public long library() {
        return library.hash(0, Pages.SIZE, 0);
    }

    /** A page as an array of words. */
    @Benchmark
    public long words() {
        return XxHash64.hash(words, 0, WORDS, 0);
    }
}
