// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PresenceTest {
    private static final int PAGES = 1000;

    private final GuestMemory memory = Memories.of(PAGES, 10);
    private final RamBlock ram = memory.block(0);
    private final PageSink sink = memory.asSink();

    @AfterEach
    void free() {
        memory.close();
    }

    /** A guest's thread that does something; the outcome can be waited for. */
    private static <T> FutureTask<T> guest(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private void waitUntilBlocked(int threads) {
        long until = System.nanoTime() + 10_000_000_000L;
        while (memory.blockedThreads() != threads) {
            assertThat(System.nanoTime()).as("until %d threads wait", threads).isLessThan(until);
            Thread.onSpinWait();
        }
    }

    private static <T> T soon(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    @Test
    void beforePostcopyNothingWaits() {
        assertThat(ram.getLong(0)).isZero();
        assertThat(memory.requests().outstanding()).isZero();
    }

    @Test
    void aTouchOfAMissingPageAsksForItAndEndsWithIt() throws Exception {
        sink.beginPostcopy();
        AtomicInteger wakes = new AtomicInteger();
        memory.requests().wakeWith(wakes::incrementAndGet);
        FutureTask<Long> reader = guest(() -> ram.getLong(7 * Pages.SIZE + 8));
        waitUntilBlocked(1);
        List<Long> asked = new ArrayList<>();
        memory.requests().drain((block, page) -> asked.add(block * 1000L + page));
        assertThat(asked).containsExactly(7L);
        assertThat(wakes).hasValue(1);
        assertThat(reader).isNotDone();

        sink.place(0, 6, Memories.page(1), 0);
        assertThat(memory.blockedThreads()).isEqualTo(1);
        sink.place(0, 7, Memories.page(42), 0);

        assertThat(soon(reader)).isEqualTo(42);
        assertThat(memory.requests().outstanding()).isZero();
        assertThat(memory.blockedThreads()).isZero();
        assertThat(memory.waits().snapshot().count()).isEqualTo(1);
    }

    @Test
    void theTimeInWhichSomebodyWaitedCountsOnceHoweverManyDid() throws Exception {
        sink.beginPostcopy();
        long began = System.nanoTime();
        List<FutureTask<Long>> readers = new ArrayList<>();
        for (long page = 1; page <= 4; page++) {
            long offset = page * Pages.SIZE;
            readers.add(guest(() -> ram.getLong(offset)));
        }
        waitUntilBlocked(4);
        assertThat(memory.blockedNanos()).as("waits that last").isPositive();
        long until = System.nanoTime() + 20_000_000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        for (int page = 1; page <= 4; page++) {
            sink.place(0, page, Memories.page(page), 0);
        }
        for (FutureTask<Long> reader : readers) {
            soon(reader);
        }
        long elapsed = System.nanoTime() - began;

        long blocked = memory.blockedNanos();
        assertThat(blocked)
                .isBetween(20_000_000L, elapsed)
                .isLessThan(memory.waits().snapshot().sum());
        assertThat(memory.blockedNanos()).as("nobody waits any more").isEqualTo(blocked);
    }

    @Test
    void everyAccessorWaitsAndAWriteComesOverThePageNotUnderIt() throws Exception {
        sink.beginPostcopy();
        List<FutureTask<?>> guests = List.of(
                guest(() -> ram.getInt(Pages.SIZE)),
                guest(() -> ram.getByte(2 * Pages.SIZE)),
                guest(() -> {
                    ram.putLong(3 * Pages.SIZE + 8, -1);
                    return 0;
                }),
                guest(() -> {
                    ram.putInt(4 * Pages.SIZE + 8, -1);
                    return 0;
                }),
                guest(() -> {
                    ram.putByte(5 * Pages.SIZE + 8, (byte) -1);
                    return 0;
                }),
                guest(() -> {
                    ram.readPage(6, new long[512]);
                    return 0;
                }),
                guest(() -> {
                    ram.writePage(7, new long[512]);
                    return 0;
                }),
                guest(() -> {
                    ram.read(8 * Pages.SIZE + 4000, new byte[50], 0, 50);
                    return 0;
                }),
                guest(() -> {
                    ram.write(9 * Pages.SIZE + 4095, new byte[] {-1}, 0, 1);
                    return 0;
                }));
        waitUntilBlocked(guests.size());
        for (int page = 1; page <= 9; page++) {
            assertThat(sink.place(0, page, Memories.page(5), 0)).isTrue();
        }
        for (FutureTask<?> task : guests) {
            soon(task);
        }
        assertThat(ram.getLong(3 * Pages.SIZE)).isEqualTo(5);
        assertThat(ram.getLong(3 * Pages.SIZE + 8)).isEqualTo(-1);
        assertThat(ram.getLong(4 * Pages.SIZE + 8)).isEqualTo(0xFFFFFFFFL);
        assertThat(ram.getLong(5 * Pages.SIZE + 8)).isEqualTo(0xFF);
        assertThat(ram.getLong(7 * Pages.SIZE)).isZero();
        assertThat(ram.getByte(9 * Pages.SIZE + 4095)).isEqualTo((byte) -1);
    }

    @Test
    void aCopyAcrossPagesWaitsForEachOfThem() throws Exception {
        sink.store(0, 1, Memories.page(5), 0);
        sink.beginPostcopy();
        byte[] bytes = new byte[2 * Pages.SIZE];
        FutureTask<Byte> reader = guest(() -> {
            ram.read(Pages.SIZE, bytes, 0, bytes.length);
            return bytes[Pages.SIZE];
        });
        waitUntilBlocked(1);
        sink.place(0, 2, Memories.page(6), 0);
        assertThat(soon(reader)).isEqualTo((byte) 6);
    }

    @Test
    void manyWhoWaitForOnePageAskOnceAndAllGetIt() throws Exception {
        sink.beginPostcopy();
        List<FutureTask<Long>> readers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            readers.add(guest(() -> memory.block(1).getLong(3 * Pages.SIZE)));
        }
        waitUntilBlocked(8);
        assertThat(memory.requests()
                        .drain((block, page) -> assertThat(block * 10L + page).isEqualTo(13)))
                .isEqualTo(1);
        sink.placeZero(1, 3);
        for (FutureTask<Long> reader : readers) {
            assertThat(soon(reader)).isZero();
        }
        assertThat(memory.waits().snapshot().count()).isEqualTo(8);
    }

    @Test
    void aStopEndsTheWaitWithoutThePageAndTheNextStartTouchesItAgain() throws Exception {
        sink.beginPostcopy();
        Callable<String> touch = () -> {
            try {
                ram.putLong(0, 9);
                return "written";
            } catch (GuestStopRequested e) {
                return "stopped";
            }
        };
        FutureTask<String> first = guest(touch);
        waitUntilBlocked(1);
        memory.stopWaiting();
        assertThat(soon(first)).isEqualTo("stopped");
        assertThat(memory.blockedThreads()).isZero();
        assertThat(memory.requests().outstanding()).isEqualTo(1);
        assertThat(soon(guest(touch))).as("while it is stopped").isEqualTo("stopped");
        assertThat(memory.waits().snapshot().count()).isZero();

        memory.allowWaiting();
        FutureTask<String> second = guest(touch);
        waitUntilBlocked(1);
        sink.place(0, 0, Memories.page(5), 0);
        assertThat(soon(second)).isEqualTo("written");
        assertThat(ram.getLong(0)).isEqualTo(9);
        assertThat(ram.getLong(8)).isEqualTo(5);
    }

    @Test
    void aStopDoesNotKeepAnybodyFromPagesThatAreThere() {
        sink.store(0, 4, Memories.page(5), 0);
        sink.beginPostcopy();
        memory.stopWaiting();
        assertThat(ram.getLong(4 * Pages.SIZE)).isEqualTo(5);
    }

    @Test
    void anInterruptNeitherEndsTheWaitNorMakesItSpin() throws Exception {
        sink.beginPostcopy();
        FutureTask<Long> task = new FutureTask<>(() -> ram.getLong(0));
        Thread thread = Thread.ofPlatform().daemon().start(task);
        waitUntilBlocked(1);
        thread.interrupt();
        long until = System.nanoTime() + 10_000_000_000L;
        while (thread.isInterrupted() || thread.getState() != Thread.State.WAITING) {
            assertThat(System.nanoTime()).isLessThan(until);
            Thread.onSpinWait();
        }
        sink.place(0, 0, Memories.page(3), 0);
        assertThat(soon(task)).isEqualTo(3);
    }

    @Test
    void theWaitIsMeasuredFromTheTouchToThePageInPlace() throws Exception {
        sink.beginPostcopy();
        FutureTask<Long> reader = guest(() -> ram.getLong(0));
        waitUntilBlocked(1);
        long touched = System.nanoTime();
        while (System.nanoTime() - touched < 30_000_000) {
            Thread.onSpinWait();
        }
        sink.place(0, 0, Memories.page(3), 0);
        soon(reader);
        LatencyHistogram.Snapshot waits = memory.waits().snapshot();
        assertThat(waits.max()).isBetween(30_000_000L, 5_000_000_000L);
        assertThat(waits.sum()).isEqualTo(waits.max());
    }

    @Test
    void untilTheLastPageIsThereItIsWaitedForAndThenNobodyLooks() throws Exception {
        sink.beginPostcopy();
        for (int page = 0; page < PAGES; page++) {
            sink.placeZero(0, page);
        }
        for (int page = 0; page < 9; page++) {
            sink.placeZero(1, page);
        }
        assertThat(memory.missingPages()).isEqualTo(1);
        FutureTask<Long> last = guest(() -> memory.block(1).getLong(9 * Pages.SIZE));
        waitUntilBlocked(1);
        sink.place(1, 9, Memories.page(4), 0);
        assertThat(soon(last)).isEqualTo(4);
        assertThat(memory.missingPages()).isZero();
        assertThat(sink.place(0, 1, Memories.page(1), 0)).isFalse();
        assertThat(ram.getLong(Pages.SIZE)).isZero();
    }

    /**
     * Guests touch pages in disorder, a loop sleeps until it is woken, drains, and places what was asked for and sometimes what was not; now and then it stops the guests. Each
     * round ends only if no wake-up is lost, of the loop or of a guest.
     */
    @Test
    void noWakeUpIsLostOverManyPages() throws Exception {
        long seed = Seeds.next();
        for (int round = 0; round < 20; round++) {
            try (GuestMemory fresh = Memories.of(PAGES)) {
                serveUntilAllAreThrough(fresh, new SplittableRandom(seed + round));
                assertThat(fresh.requests().outstanding()).as("seed %d", seed).isZero();
            }
        }
    }

    private static void serveUntilAllAreThrough(GuestMemory fresh, SplittableRandom random) throws Exception {
        Semaphore wake = new Semaphore(0);
        fresh.requests().wakeWith(wake::release);
        fresh.asSink().beginPostcopy();
        List<FutureTask<Integer>> guests = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            SplittableRandom own = random.split();
            FutureTask<Integer> task = new FutureTask<>(() -> touchAll(fresh.block(0), own));
            guests.add(task);
            Thread.ofPlatform().daemon().start(() -> {
                task.run();
                wake.release();
            });
        }
        while (!guests.stream().allMatch(FutureTask::isDone)) {
            assertThat(wake.tryAcquire(10, TimeUnit.SECONDS))
                    .as("something happens")
                    .isTrue();
            if (random.nextInt(50) == 0) {
                fresh.stopWaiting();
                fresh.allowWaiting();
            }
            fresh.requests().drain((block, page) -> fresh.asSink().place(block, page, Memories.page(page), 0));
            if (random.nextInt(10) == 0) {
                fresh.asSink().placeZero(0, random.nextInt(PAGES));
            }
        }
        for (FutureTask<Integer> guest : guests) {
            assertThat(soon(guest)).isEqualTo(PAGES);
        }
    }

    private static int touchAll(RamBlock ram, SplittableRandom random) {
        int touched = 0;
        long page = random.nextInt(PAGES);
        while (touched < PAGES) {
            try {
                long word = ram.getLong(page * Pages.SIZE);
                if (word != 0 && word != page) {
                    throw new AssertionError("page " + page + " holds " + word);
                }
                touched++;
                page = (page + 377) % PAGES;
            } catch (GuestStopRequested e) {
                // Stopped and at once started again: the same page once more.
                Thread.onSpinWait();
            }
        }
        return touched;
    }
}
