// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which pages the kernel has made, seen in /proc/self/pagemap: those that are stored to, and a bounded few ahead of them. */
class FirstTouchTest {
    private static final int PAGES = 1000;
    private static final ByteBuffer ANY = Memories.page(7);

    /** Pages from {@code from} on, of {@code count}, that are there. */
    private static long made(GuestMemory memory, long from, long count) throws IOException {
        ByteBuffer entries = ByteBuffer.allocate((int) count * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (RandomAccessFile pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
            pagemap.seek(((memory.block(0).ram().address() >>> Pages.SHIFT) + from) * Long.BYTES);
            pagemap.readFully(entries.array());
        }
        long made = 0;
        while (entries.hasRemaining()) {
            // Bit 63: present in memory.
            made += entries.getLong() < 0 ? 1 : 0;
        }
        return made;
    }

    private static void store(GuestMemory memory, long from, long to) {
        PageSink sink = memory.asSink();
        for (long page = from; page < to; page++) {
            sink.store(0, page, ANY, 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void pagesInARowAreMadeAhead(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            store(memory, 0, 17);
            assertThat(made(memory, 0, PAGES)).isEqualTo(32);
            store(memory, 17, 33);
            assertThat(made(memory, 0, PAGES)).isEqualTo(48);
            assertThat(memory.block(0).getLong(32 * Pages.SIZE)).isEqualTo(7);
            assertThat(memory.block(0).getLong(33 * Pages.SIZE)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void pagesHereAndThereAreNot(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            for (long page = 0; page < PAGES; page += 10) {
                store(memory, page, page + 4);
            }
            assertThat(made(memory, 0, PAGES)).isEqualTo(PAGES / 10 * 4);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noMorePagesAreMadeAheadThanWereStoredToInARow(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            store(memory, 0, 5);
            assertThat(made(memory, 0, PAGES)).isEqualTo(8);
            store(memory, 100, 109);
            assertThat(made(memory, 100, 100)).isEqualTo(16);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLastPageIsTheEnd(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            store(memory, PAGES - 20, PAGES);
            assertThat(made(memory, 0, PAGES)).isEqualTo(20);
        }
    }

    @ParameterizedTest
    @EnumSource
    void zeroPagesThatWereNeverStoredToTakeNoMemory(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            for (long page = 0; page < PAGES; page++) {
                memory.asSink().storeZero(0, page);
            }
            assertThat(made(memory, 0, PAGES)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void afterADiscardTheyAreMadeAnew(Backing backing) throws Exception {
        try (GuestMemory memory = Memories.of(backing, PAGES)) {
            store(memory, 0, 100);
            memory.asSink().discard(0, 0, PAGES);
            assertThat(made(memory, 0, PAGES)).isZero();
            store(memory, 0, 17);
            assertThat(made(memory, 0, PAGES)).isEqualTo(32);
        }
    }
}
