// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** Threads ask for pages while another lets them arrive and the loop drains: each page is reported at most once, and nothing stays behind. */
    @Test
    void askingAndArrivingMayMeetInAnyOrder() throws Exception {
        long seed = Seeds.next();
        for (int round = 0; round < 300; round++) {
            received[0].clearAll();
            PageRequests fresh = new PageRequests(table, received);
            SplittableRandom random = new SplittableRandom(seed + round);
            Thread asking = asks(fresh, random.split());
            Thread asking2 = asks(fresh, random.split());
            Thread arriving = Thread.ofPlatform().start(() -> {
                for (int page = 0; page < PAGES; page++) {
                    received[0].set(page);
                    fresh.arrived(0, page);
                }
            });
            int[] times = new int[PAGES];
            while (asking.isAlive() || asking2.isAlive() || arriving.isAlive()) {
                fresh.drain((block, page) -> times[(int) page]++);
            }
            asking.join();
            asking2.join();
            arriving.join();
            assertThat(fresh.drain((block, page) -> {})).as("seed %d", seed).isZero();
            assertThat(fresh.outstanding())
                    .as("round %d with seed %d", round, seed)
                    .isZero();
            fresh.forEachOutstanding((block, page) -> {
                throw new AssertionError("page " + page + " is still asked for");
            });
            assertThat(java.util.Arrays.stream(times).max().orElseThrow())
                    .as("seed %d", seed)
                    .isLessThanOrEqualTo(1);
        }
    }

    private static Thread asks(PageRequests requests, SplittableRandom random) {
        return Thread.ofPlatform().start(() -> {
            for (int i = 0; i < PAGES; i++) {
                requests.add(0, i + random.nextInt(PAGES - i));
            }
        });
    }

    /** A wake-up that comes after a drain began must lead to another drain: nobody may wait for a page that nobody reports. */
    @Test
    void noRequestIsLeftBehindByALoopThatSleepsUntilWoken() throws Exception {
        long seed = Seeds.next();
        java.util.concurrent.Semaphore wake = new java.util.concurrent.Semaphore(0);
        requests.wakeWith(wake::release);
        int count = PAGES * 2;
        Thread asking = Thread.ofPlatform().start(() -> {
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < count; i++) {
                requests.add(i % 2, i / 2);
                for (int pause = random.nextInt(40); pause > 0; pause--) {
                    Thread.onSpinWait();
                }
            }
        });
        long reported = 0;
        while (reported < count) {
            assertThat(wake.tryAcquire(10, java.util.concurrent.TimeUnit.SECONDS))
                    .as("after %d of %d with seed %d", reported, count, seed)
                    .isTrue();
            reported += requests.drain((block, page) -> {});
        }
        asking.join();
        assertThat(reported).isEqualTo(count);
    }
}
