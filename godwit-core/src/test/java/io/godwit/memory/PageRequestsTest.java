// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class PageRequestsTest {
    private static final int PAGES = 1000;

    private final BlockTable table =
            new BlockTable(List.of(BlockInfo.of("a", PAGES * Pages.SIZE), BlockInfo.of("b", PAGES * Pages.SIZE)));
    private final PageBitmap[] received = {new PageBitmap(PAGES), new PageBitmap(PAGES)};
    private final PageRequests requests = new PageRequests(table, received);
    private final AtomicInteger wakes = new AtomicInteger();

    private List<String> drained() {
        List<String> pages = new ArrayList<>();
        long count = requests.drain((block, page) -> pages.add(table.get(block).name() + page));
        assertThat(count).isEqualTo(pages.size());
        return pages;
    }

    private List<String> outstanding() {
        List<String> pages = new ArrayList<>();
        requests.forEachOutstanding((block, page) -> pages.add(table.get(block).name() + page));
        assertThat(requests.outstanding()).isEqualTo(pages.size());
        return pages;
    }

    private void arrives(int block, long page) {
        received[block].set(page);
        requests.arrived(block, page);
    }

    @Test
    void aPageAskedForTwiceIsReportedOnce() {
        requests.add(0, 7);
        requests.add(0, 7);
        assertThat(drained()).containsExactly("a7");
        requests.add(0, 7);
        assertThat(drained()).isEmpty();
        assertThat(outstanding()).containsExactly("a7");
    }

    @Test
    void reportsComeByBlockAndPage() {
        requests.add(1, 3);
        requests.add(0, 999);
        requests.add(1, 0);
        requests.add(0, 64);
        requests.add(0, 63);
        assertThat(drained()).containsExactly("a63", "a64", "a999", "b0", "b3");
        assertThat(drained()).isEmpty();
    }

    @Test
    void aPageThatCameIsNoLongerAskedFor() {
        requests.add(0, 1);
        requests.add(0, 2);
        arrives(0, 1);
        assertThat(drained()).containsExactly("a2");
        arrives(0, 2);
        assertThat(outstanding()).isEmpty();
        requests.add(0, 2);
        assertThat(outstanding()).isEmpty();
        assertThat(drained()).isEmpty();
    }

    @Test
    void afterARecoveryAllThatAreStillMissingAreReportedAgain() {
        requests.wakeWith(wakes::incrementAndGet);
        for (long page : new long[] {500, 1, 100}) {
            requests.add(1, page);
        }
        requests.add(0, 9);
        drained();
        arrives(1, 100);
        requests.add(0, 5);
        wakes.set(0);

        requests.reissue();

        assertThat(drained()).containsExactly("a5", "a9", "b1", "b500");
        assertThat(outstanding()).containsExactly("a5", "a9", "b1", "b500");
        requests.reissue();
        assertThat(wakes).hasValue(1);
        assertThat(drained()).hasSize(4);
    }

    @Test
    void reissuingNothingWakesNobody() {
        requests.wakeWith(wakes::incrementAndGet);
        requests.reissue();
        assertThat(wakes).hasValue(0);
    }

    @Test
    void theLoopIsWokenOncePerDrain() {
        requests.wakeWith(wakes::incrementAndGet);
        requests.add(0, 1);
        requests.add(0, 2);
        requests.add(1, 3);
        assertThat(wakes).hasValue(1);
        drained();
        requests.add(0, 2);
        assertThat(wakes).hasValue(1);
        requests.add(0, 4);
        assertThat(wakes).hasValue(2);
    }

    @Test
    void whoeverComesLateToBeWokenIsWokenAtOnce() {
        requests.add(0, 1);
        requests.wakeWith(wakes::incrementAndGet);
        assertThat(wakes).hasValue(1);
    }

    /** One thread asks for a page at the moment at which another lets it arrive: nothing may stay behind. */
    @Test
    void askingAndArrivingMayMeetInAnyOrder() throws Exception {
        long seed = Seeds.next();
        long until = System.nanoTime() + 2_000_000_000L;
        for (int round = 0; round < 5 || System.nanoTime() < until; round++) {
            received[0].clearAll();
            PageRequests fresh = new PageRequests(table, received);
            AtomicInteger steps = new AtomicInteger();
            SplittableRandom random = new SplittableRandom(seed + round);
            SplittableRandom other = random.split();
            Thread asking = Thread.ofPlatform().start(() -> {
                for (int page = 0; page < PAGES; page++) {
                    inStep(steps, page, random);
                    fresh.add(0, page);
                }
            });
            for (int page = 0; page < PAGES; page++) {
                inStep(steps, page, other);
                received[0].set(page);
                fresh.arrived(0, page);
            }
            asking.join();
            fresh.forEachOutstanding((block, page) -> {
                throw new AssertionError("page " + page + " is still asked for, with seed " + seed);
            });
            assertThat(fresh.outstanding()).as("seed %d", seed).isZero();
            assertThat(fresh.drain((block, page) -> {})).isZero();
        }
    }

    /** Returns in both of two threads at about the same time, a random moment apart. */
    private static void inStep(AtomicInteger steps, int step, SplittableRandom random) {
        steps.incrementAndGet();
        while (steps.get() < 2 * (step + 1)) {
            Thread.onSpinWait();
        }
        pause(random.nextInt(60));
    }

    private static void pause(int length) {
        for (int i = 0; i < length; i++) {
            VarHandle.acquireFence();
        }
    }

    /** A page that is asked for while the loop drains is reported by that drain or wakes for another: nobody may wait for a page that nobody reports. */
    @Test
    void noRequestIsLeftBehindByALoopThatSleepsUntilWoken() throws Exception {
        long seed = Seeds.next();
        Semaphore wake = new Semaphore(0);
        AtomicLong reported = new AtomicLong();
        SplittableRandom random = new SplittableRandom(seed);
        long until = System.nanoTime() + 2_000_000_000L;
        AtomicReference<PageRequests> current = new AtomicReference<>(requests);
        AtomicBoolean over = new AtomicBoolean();
        Thread loop = Thread.ofPlatform().daemon().start(() -> {
            while (!over.get()) {
                if (wake.tryAcquire()) {
                    reported.addAndGet(current.get().drain((block, page) -> {}));
                }
            }
        });
        long asked = 0;
        while (System.nanoTime() < until) {
            PageRequests fresh = new PageRequests(table, received);
            current.set(fresh);
            fresh.wakeWith(wake::release);
            for (int page = 0; page + 1 < PAGES; page += 2) {
                fresh.add(0, page);
                pause(random.nextInt(400));
                fresh.add(0, page + 1);
                asked += 2;
                long deadline = System.nanoTime() + 10_000_000_000L;
                while (reported.get() < asked) {
                    assertThat(System.nanoTime())
                            .as("reported %d of %d, with seed %d", reported.get(), asked, seed)
                            .isLessThan(deadline);
                }
            }
        }
        over.set(true);
        loop.join();
        assertThat(reported).hasValue(asked);
    }
}
