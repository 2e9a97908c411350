// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Execution(ExecutionMode.SAME_THREAD) // what the process has in memory is measured
class PlacementTest {
    private static final int PAGES = 100;

    private static long word(GuestMemory memory, long page) {
        return memory.block(0).getLong(page * Pages.SIZE);
    }

    @ParameterizedTest
    @EnumSource
    void inPrecopyTheLastContentWins(Backing backing) {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            PageSink sink = memory.asSink();
            sink.store(0, 1, Memories.page(5), 0);
            assertThat(word(memory, 1)).isEqualTo(5);
            sink.store(0, 1, Memories.page(6), 0);
            assertThat(word(memory, 1)).isEqualTo(6);
            sink.storeZero(0, 1);
            assertThat(word(memory, 1)).isZero();
            sink.storeZero(0, 2);
            sink.store(0, 3, Memories.page(7), 0);
            assertThat(Memories.pages(sink.received(0))).containsExactly(1L, 2L, 3L);
            assertThat(memory.missingPages()).isZero();
        }
    }

    @Test
    void thePageIsTakenFromTheBuffersAbsolutePosition() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            ByteBuffer two = ByteBuffer.allocateDirect(2 * Pages.SIZE + 5);
            two.put(5 + Pages.SIZE, Memories.page(9), 0, Pages.SIZE);
            two.position(3).limit(two.capacity());
            memory.asSink().store(0, 50, two, 5 + Pages.SIZE);
            assertThat(word(memory, 50)).isEqualTo(9);
            assertThat(two.position()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void inPrecopyAPageCanBeReadBack(Backing backing) {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            PageSink sink = memory.asSink();
            ByteBuffer out = ByteBuffer.allocateDirect(Pages.SIZE + 3).position(3);
            sink.store(0, 1, Memories.page(5), 0);
            sink.storeZero(0, 2);

            sink.read(0, 1, out);
            assertThat(out.hasRemaining()).isFalse();
            assertThat(out.position(3).slice()).isEqualTo(Memories.page(5).clear());
            sink.read(0, 2, out);
            assertThat(out.position(3).slice()).isEqualTo(Memories.page(0).clear());
            assertThat(memory.block(0).cards().untouched(2))
                    .as("reading a page takes no memory")
                    .isTrue();
            assertThatThrownBy(() -> sink.read(0, PAGES, out)).isInstanceOf(IndexOutOfBoundsException.class);
            sink.beginPostcopy();
            assertThatThrownBy(() -> sink.read(0, 1, out))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("postcopy has begun");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsDiscardedIsNotReceivedAndComesAgainWhole(Backing backing) {
        for (int count : new int[] {1, 5, 15, 16, 40}) {
            try (GuestMemory memory = Memories.of(backing, PAGES)) {
                PageSink sink = memory.asSink();
                for (int page = 0; page < PAGES; page++) {
                    sink.store(0, page, Memories.page(100 + page), 0);
                }
                sink.discard(0, 20, count);
                for (int page = 0; page < PAGES; page++) {
                    boolean gone = page >= 20 && page < 20 + count;
                    assertThat(sink.received(0).get(page)).isEqualTo(!gone);
                    if (gone) {
                        sink.storeZero(0, page);
                    }
                    assertThat(word(memory, page)).isEqualTo(gone ? 0 : 100 + page);
                }
            }
        }
    }

    @Test
    void resetForgetsAndZeroesAll() {
        try (GuestMemory memory = Memories.of(PAGES, 3)) {
            memory.block(0).putLong(0, 1);
            memory.asSink().store(0, 1, Memories.page(1), 0);
            memory.asSink().store(1, 2, Memories.page(1), 0);
            memory.asSink().reset();
            assertThat(memory.asSink().received(0).cardinality()).isZero();
            assertThat(memory.asSink().received(1).cardinality()).isZero();
            assertThat(word(memory, 0)).isZero();
            assertThat(word(memory, 1)).isZero();
            assertThat(memory.block(1).getLong(2 * Pages.SIZE)).isZero();
        }
    }

    @Test
    void rangesOutsideAreRefused() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            PageSink sink = memory.asSink();
            assertThatThrownBy(() -> sink.store(0, PAGES, Memories.page(1), 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> sink.discard(0, 99, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> sink.discard(0, Long.MAX_VALUE, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            sink.beginPostcopy();
            assertThatThrownBy(() -> sink.place(0, PAGES, Memories.page(1), 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aZeroPageOverAnythingElseIsZero() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            memory.block(0).putLong(0, 1);
            memory.block(0).putLong(Pages.SIZE, 1);
            memory.asSource().trackDirty(true);
            memory.asSink().storeZero(0, 0);
            assertThat(word(memory, 0)).isZero();
            memory.asSink().beginPostcopy();
            memory.asSink().placeZero(0, 1);
            assertThat(word(memory, 1)).isZero();
        }
    }

    @Test
    void inPostcopyAPageThatIsThereIsNeverTouchedAgain() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            PageSink sink = memory.asSink();
            sink.store(0, 1, Memories.page(5), 0);
            sink.beginPostcopy();
            assertThat(memory.missingPages()).isEqualTo(PAGES - 1);

            assertThat(sink.place(0, 1, Memories.page(6), 0)).isFalse();
            assertThat(sink.placeZero(0, 1)).isFalse();
            assertThat(word(memory, 1)).isEqualTo(5);

            assertThat(sink.place(0, 2, Memories.page(7), 0)).isTrue();
            memory.block(0).putLong(2 * Pages.SIZE, 8);
            assertThat(sink.place(0, 2, Memories.page(7), 0)).isFalse();
            assertThat(word(memory, 2)).isEqualTo(8);

            assertThat(sink.placeZero(0, 3)).isTrue();
            assertThat(sink.place(0, 3, Memories.page(7), 0)).isFalse();
            assertThat(word(memory, 3)).isZero();

            assertThat(memory.duplicates()).isEqualTo(4);
            assertThat(memory.missingPages()).isEqualTo(PAGES - 3);
            assertThat(Memories.pages(sink.received(0))).containsExactly(1L, 2L, 3L);
        }
    }

    @Test
    void whatBelongsToPrecopyIsRefusedInPostcopyAndTheOtherWayRound() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            PageSink sink = memory.asSink();
            assertThatThrownBy(() -> sink.place(0, 1, Memories.page(1), 0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> sink.placeZero(0, 1)).isInstanceOf(IllegalStateException.class);
            sink.beginPostcopy();
            assertThatThrownBy(() -> sink.store(0, 1, Memories.page(1), 0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("postcopy has begun");
            assertThatThrownBy(() -> sink.storeZero(0, 1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> sink.discard(0, 1, 1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(sink::reset).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(sink::beginPostcopy).isInstanceOf(IllegalStateException.class);
        }
    }

    /** Four threads place every page, each with a content of its own: each page is placed once, whole, and all others are told so. */
    @Test
    void ofSeveralWhoPlaceAPageExactlyOneDoes() throws Exception {
        int pages = 2_000;
        int rivals = 4;
        for (int round = 0; round < 10; round++) {
            try (GuestMemory memory = Memories.of(pages)) {
                memory.asSink().beginPostcopy();
                AtomicInteger[] winners = new AtomicInteger[pages];
                java.util.Arrays.setAll(winners, i -> new AtomicInteger());
                List<Thread> threads = new ArrayList<>();
                for (int t = 1; t <= rivals; t++) {
                    int rival = t;
                    ByteBuffer content = Memories.page(rival);
                    threads.add(Thread.ofPlatform().start(() -> {
                        for (int page = 0; page < pages; page++) {
                            if (memory.asSink().place(0, page, content, 0)) {
                                winners[page].addAndGet(rival * 100 + 1);
                            }
                        }
                    }));
                }
                for (Thread thread : threads) {
                    thread.join();
                }
                long[] words = new long[512];
                for (int page = 0; page < pages; page++) {
                    assertThat(winners[page].get() % 100)
                            .as("winners of page %d", page)
                            .isEqualTo(1);
                    memory.block(0).readPage(page, words);
                    long winner = winners[page].get() / 100;
                    assertThat(words).containsOnly(winner);
                }
                assertThat(memory.duplicates()).isEqualTo((long) pages * (rivals - 1));
                assertThat(memory.missingPages()).isZero();
            }
        }
    }

    private static long residentBytes() throws IOException {
        // Second number: resident pages (proc(5)).
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", -1)[1]) * Pages.SIZE;
    }

    @ParameterizedTest
    @EnumSource
    void zeroPagesOnUntouchedMemoryTakeNone(Backing backing) throws Exception {
        int pages = 256 << 8;
        try (GuestMemory memory = Memories.of(backing, pages)) {
            long before = residentBytes();
            for (int page = 0; page < pages / 2; page++) {
                memory.asSink().storeZero(0, page);
                assertThat(memory.asSource().isZero(0, page)).isTrue();
            }
            memory.asSink().beginPostcopy();
            for (int page = pages / 2; page < pages; page++) {
                memory.asSink().placeZero(0, page);
            }
            assertThat(residentBytes() - before)
                    .as("bytes taken for 256 MiB of zero pages")
                    .isLessThan(64 << 20);
            assertThat(memory.asSink().received(0).cardinality()).isEqualTo(pages);
        }
    }

    @Test
    void readingAndTheZeroTestSeeThePageAsItIs() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            ByteBuffer out = ByteBuffer.allocate(2 * Pages.SIZE).position(100);
            for (int at : new int[] {0, 8, 2040, 2048, 2056, 4080, 4088}) {
                memory.block(0).putByte(Pages.SIZE + at + 7, (byte) 1);
                assertThat(memory.asSource().isZero(0, 1))
                        .as("a byte at %d", at)
                        .isFalse();
                memory.block(0).putByte(Pages.SIZE + at + 7, (byte) 0);
                assertThat(memory.asSource().isZero(0, 1)).isTrue();
            }
            memory.block(0).putByte(Pages.SIZE + 17, (byte) 3);
            memory.asSource().read(0, 1, out);
            assertThat(out.position()).isEqualTo(100 + Pages.SIZE);
            assertThat(out.get(117)).isEqualTo((byte) 3);
        }
    }

    @Test
    void equalPagesHaveEqualChecksumsAndOthersHaveNot() {
        try (GuestMemory memory = Memories.of(PAGES)) {
            memory.asSink().store(0, 1, Memories.page(5), 0);
            memory.asSink().store(0, 2, Memories.page(5), 0);
            memory.asSink().store(0, 3, Memories.page(6), 0);
            assertThat(memory.checksum(0, 1)).isEqualTo(memory.checksum(0, 2)).isNotEqualTo(memory.checksum(0, 3));
            assertThat(memory.checksum(0, 4)).isEqualTo(memory.checksum(0, 5));
        }
    }
}
