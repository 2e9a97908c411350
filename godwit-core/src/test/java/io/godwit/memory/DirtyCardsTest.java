// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DirtyCardsTest {
    private static final int PAGES = 200;

    private final GuestMemory memory = Memories.of(PAGES);
    private final RamBlock ram = memory.block(0);
    private final PageSource source = memory.asSource();
    private final PageBitmap dirty = new PageBitmap(PAGES);

    @AfterEach
    void free() {
        memory.close();
    }

    private List<Long> harvested() {
        dirty.clearAll();
        source.harvestDirty(0, dirty);
        return Memories.pages(dirty);
    }

    @Test
    void everyKindOfStoreMarksItsPage() {
        ram.putLong(Pages.SIZE, 1);
        ram.putInt(3 * Pages.SIZE + 4092, 1);
        ram.putByte(5 * Pages.SIZE + 4095, (byte) 1);
        ram.writePage(7, new long[512]);
        ram.write(9 * Pages.SIZE + 4090, new byte[4096 + 20], 0, 4096 + 20);
        assertThat(harvested()).containsExactly(1L, 3L, 5L, 7L, 9L, 10L, 11L);
        assertThat(harvested()).isEmpty();
    }

    @Test
    void readingMarksNothing() {
        ram.getLong(0);
        ram.readPage(1, new long[512]);
        ram.read(2 * Pages.SIZE, new byte[9000], 0, 9000);
        assertThat(harvested()).isEmpty();
    }

    @Test
    void aHarvestAddsToWhatIsThereAndCountsWhatIsNew() {
        dirty.set(4);
        dirty.set(5);
        ram.putLong(5L * Pages.SIZE, 1);
        ram.putLong(6 * Pages.SIZE, 1);
        ram.putLong(199L * Pages.SIZE, 1);
        assertThat(source.harvestDirty(0, dirty)).isEqualTo(2);
        assertThat(Memories.pages(dirty)).containsExactly(4L, 5L, 6L, 199L);
    }

    @Test
    void anySetOfPagesComesOutAsItWentIn() {
        long seed = Seeds.next();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            TreeSet<Long> written = new TreeSet<>();
            for (int i = random.nextInt(PAGES); i > 0; i--) {
                long page = random.nextInt(PAGES);
                written.add(page);
                ram.putLong(page * Pages.SIZE + 8L * random.nextInt(512), random.nextLong());
            }
            assertThat(harvested()).as("round %d with seed %d", round, seed).containsExactlyElementsOf(written);
        }
    }

    @Test
    void trackingAnewForgetsWhatWasMarked() {
        ram.putLong(0, 1);
        source.trackDirty(true);
        assertThat(harvested()).isEmpty();
        ram.putLong(Pages.SIZE, 1);
        assertThat(harvested()).containsExactly(1L);
    }

    @Test
    void aPageStaysKnownAsWrittenAfterItsMarkWasTaken() {
        assertThat(ram.cards().untouched(3)).isTrue();
        ram.putLong(3 * Pages.SIZE, 0);
        assertThat(ram.cards().untouched(3)).isFalse();
        source.trackDirty(true);
        assertThat(ram.cards().untouched(3)).isFalse();
        assertThat(source.isZero(0, 3)).isTrue();
        ram.putLong(3 * Pages.SIZE + 2000, 1);
        harvested();
        assertThat(source.isZero(0, 3)).isFalse();
    }

    /**
     * A writer and a sender race for eight pages, whose marks are one word. The writer puts rising numbers into a page and then tells the last of them; whatever
     * was told before a harvest must be in the sender's copy after it, since a mark that an earlier harvest took was taken before that copy was made. Each burst is a
     * trial, so windows of some nanoseconds are hit in every run on two processors. Seen red in each run: the mark before the store in writePage, a test before the mark, a
     * read and a zero instead of the exchange. Not seen: the mark before the store of a single word, whose window is too short to be met.
     */
    @Test
    void noWriteIsLostBetweenAWriterAndAHarvestingSender() throws Exception {
        long seed = Seeds.next();
        long[] copy = new long[Rewriter.PAGES];
        long[] told = new long[Rewriter.PAGES];
        long harvests = 0;
        long lost = 0;
        ByteBuffer buffer = ByteBuffer.allocateDirect(Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        try (Rewriter writer = new Rewriter(ram, seed)) {
            long until = System.nanoTime() + 3_000_000_000L;
            while (harvests++ % 1024 != 0 || System.nanoTime() < until) {
                for (int page = 0; page < Rewriter.PAGES; page++) {
                    told[page] = writer.told.get(page);
                }
                dirty.setWord(0, 0);
                source.harvestDirty(0, dirty);
                for (long bits = dirty.word(0); bits != 0; bits &= bits - 1) {
                    int page = Long.numberOfTrailingZeros(bits);
                    source.read(0, page, buffer.clear());
                    copy[page] = Math.min(buffer.getLong(0), buffer.getLong(Pages.SIZE - 8));
                }
                for (int page = 0; page < Rewriter.PAGES; page++) {
                    lost += copy[page] < told[page] ? 1 : 0;
                }
            }
        }
        assertThat(lost).as("lost, in %d harvests with seed %d", harvests, seed).isZero();
        assertThat(copy[0]).as("the writer did write").isPositive();
    }

    /** A thread that puts bursts of rising numbers into eight pages, with pauses of random length. */
    private static final class Rewriter implements AutoCloseable {
        static final int PAGES = 8;

        /** Per page the last number of which both the store and the mark are done. */
        final AtomicLongArray told = new AtomicLongArray(PAGES);

        private final Thread thread;
        private volatile boolean over;

        Rewriter(RamBlock ram, long seed) {
            thread = Thread.ofPlatform().daemon().start(() -> run(ram, new SplittableRandom(seed)));
        }

        private void run(RamBlock ram, SplittableRandom random) {
            long[] words = new long[512];
            long number = 0;
            while (!over) {
                long dice = random.nextLong();
                int page = (int) dice & (PAGES - 1);
                for (int burst = (int) (dice >>> 8) & 3; burst >= 0; burst--) {
                    number++;
                    if (page == PAGES - 1) {
                        Arrays.fill(words, number);
                        ram.writePage(page, words);
                    } else {
                        ram.putLong(page * (long) Pages.SIZE + Pages.SIZE - 8, number);
                        ram.putLong(page * (long) Pages.SIZE, number);
                    }
                }
                told.set(page, number);
                for (int pause = (int) (dice >>> 16) & 7; pause > 0; pause--) {
                    Thread.onSpinWait();
                }
            }
        }

        @Override
        public void close() {
            over = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError("the test was interrupted", e);
            }
        }
    }
}
