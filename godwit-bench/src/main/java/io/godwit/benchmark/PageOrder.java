// SPDX-License-Identifier: Apache-2.0

package io.godwit.benchmark;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.PageScheduler;
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

/** What the source's choice of the next page costs, bitmaps and all, for a block of 4 GiB. All figures are per page. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PageOrder {
    private static final int PAGES = 1 << 20;
    private static final int REQUESTS = 4096;

    private final PageScheduler scheduler =
            new PageScheduler(new BlockTable(List.of(BlockInfo.of("pc.ram", (long) PAGES << Pages.SHIFT))));
    private final PageBitmap half = new PageBitmap(PAGES);
    private final PageBitmap[] received = {half};
    private final PageBitmap nothing = new PageBitmap(PAGES);
    private final long[] requests = new long[REQUESTS];

    /** Half of the pages, and some pages to ask for, the same each time. */
    @Setup
    public void fill() {
        var random = new SplittableRandom(1);
        for (int w = 0; w < half.wordCount(); w++) {
            half.setWord(w, random.nextLong());
        }
        for (int i = 0; i < REQUESTS; i++) {
            requests[i] = random.nextLong(PAGES);
        }
        scheduler.markAll();
    }

    /** Every page of the block, one after the other. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public long background() {
        scheduler.markAll();
        long sum = 0;
        for (long address = scheduler.takeBackground();
                address != PageScheduler.NONE;
                address = scheduler.takeBackground()) {
            sum += address;
        }
        return sum;
    }

    /** Every other page on average, after a recovery's bitmap has said which: taking over the bitmap is in it. */
    @Benchmark
    @OperationsPerInvocation(PAGES / 2)
    public long afterRecovery() {
        scheduler.restart(received);
        long sum = 0;
        for (long address = scheduler.takeBackground();
                address != PageScheduler.NONE;
                address = scheduler.takeBackground()) {
            sum += address;
        }
        return sum;
    }

    /** Pages asked for and taken in the same order; marking them dirty again is in it. */
    @Benchmark
    @OperationsPerInvocation(REQUESTS)
    public long urgent() {
        for (long page : requests) {
            scheduler.dirty(0).set(page);
            scheduler.request(0, page);
        }
        long sum = 0;
        for (long address = scheduler.takeUrgent(); address != PageScheduler.NONE; address = scheduler.takeUrgent()) {
            sum += address;
        }
        return sum;
    }

    /** Counting what is dirty, as after each harvest of marks. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public long recount() {
        scheduler.recount();
        return scheduler.remaining();
    }

    /** The search for a page that a destination claims and never got, where there is none. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public long falseClaim() {
        return scheduler.firstFalseClaim(0, nothing);
    }
}
