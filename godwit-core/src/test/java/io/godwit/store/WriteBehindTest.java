// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.DEVICES;
import static io.godwit.store.Shelf.RAM;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.WEB1;
import static io.godwit.store.Shelf.open;
import static io.godwit.store.Shelf.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pages that are written behind the one who brings them: by whom, in what order, and who hears that they cannot be. */
class WriteBehindTest {
    private static final int PAGES = 4;

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));
    private final ArrayDeque<Runnable> beside = new ArrayDeque<>();
    private final VmStore store = open(disk);

    /** Batches of four pages, of which two may wait. */
    private StoreSink receiving() {
        return store.receive(WEB1, new Behind(PAGES, 2, beside::add));
    }

    private static void store(StoreSink sink, int first, int count) {
        for (int page = first; page < first + count; page++) {
            sink.store(RAM, page, TestPages.of(page + 1), 0);
        }
    }

    private boolean isFiled(int page, long number) {
        byte[] file = Objects.requireNonNull(disk.peek(Shelf.FOLDER.resolve(Manifest.ramFile(RAM))));
        byte[] there = Arrays.copyOfRange(file, page * Pages.SIZE, (page + 1) * Pages.SIZE);
        return ByteBuffer.wrap(there).equals(TestPages.of(number));
    }

    private void park(StoreSink sink) {
        park(store, sink);
    }

    private static void park(VmStore store, StoreSink sink) {
        for (int page = 0; page < ROM_PAGES; page++) {
            sink.storeZero(ROM, page);
        }
        store.park(DEVICES, true);
    }

    @Test
    void aFullBatchIsTheOtherThreads() {
        StoreSink sink = receiving();
        store(sink, 0, PAGES);
        assertThat(beside)
                .as("there is room for no more, and nobody brings more")
                .isEmpty();
        store(sink, PAGES, 1);

        assertThat(isFiled(0, 1)).as("nobody has had the time").isFalse();
        assertThat(sink.received(RAM).get(0)).isTrue();
        beside.remove().run();

        assertThat(isFiled(0, 1)).isTrue();
        assertThat(isFiled(PAGES, PAGES + 1L)).as("that one is not full yet").isFalse();
    }

    @Test
    void theOtherThreadIsAskedOnceForAllThatWaits() {
        StoreSink sink = receiving();
        store(sink, 0, 2 * PAGES + 1);
        assertThat(beside).hasSize(1);

        beside.remove().run();
        assertThat(isFiled(2 * PAGES - 1, 2 * PAGES)).isTrue();
        store(sink, 2 * PAGES + 1, PAGES);
        assertThat(beside).as("it is done with that, so it is asked again").hasSize(1);
    }

    @Test
    void whoeverBringsTooMuchWritesTheOldest() {
        StoreSink sink = receiving();
        store(sink, 0, 3 * PAGES + 1);

        assertThat(isFiled(PAGES - 1, PAGES)).isTrue();
        assertThat(isFiled(PAGES, PAGES + 1L)).isFalse();
    }

    @Test
    void theLaterOneOfAPageIsTheOneThatStays() {
        StoreSink sink = receiving();
        for (int version = 1; version <= 3 * PAGES + 1; version++) {
            sink.store(RAM, 7, TestPages.of(version), 0);
        }
        beside.remove().run();
        assertThat(isFiled(7, 3 * PAGES)).isTrue();

        ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
        sink.read(RAM, 7, out);
        assertThat(out.flip()).isEqualTo(TestPages.of(3 * PAGES + 1));
    }

    @Test
    void aCheckpointHasWhatNobodyHasWritten() {
        StoreSink sink = receiving();
        sink.beginPostcopy();
        store.handOver(Shelf.BLOB);
        for (int page = 0; page < 2 * PAGES + 2; page++) {
            sink.place(RAM, page, TestPages.of(page + 1), 0);
        }

        assertThat(store.checkpoint()).isEqualTo(2 * PAGES + 2);
        disk.losePower();
        disk.boot();
        assertThat(isFiled(0, 1) && isFiled(2 * PAGES + 1, 2 * PAGES + 2)).isTrue();
    }

    @Test
    void whatTheOtherThreadCannotWriteIsToldByTheNextPageAndIsNotLost() {
        StoreSink sink = receiving();
        store(sink, 0, PAGES + 1);
        disk.full(true);
        beside.remove().run();
        store(sink, PAGES + 1, PAGES - 1);

        int next = 2 * PAGES;
        assertThatThrownBy(() -> store(sink, next, 1))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("free space");
        assertThat(sink.received(RAM).get(next)).isFalse();
        assertThat(sink.received(RAM).get(next - 1)).as("it is kept").isTrue();

        disk.full(false);
        store(sink, next, RAM_PAGES - next);
        park(sink);
        assertWhole();
    }

    @Test
    void whatWasNotWrittenIsForgottenWithTheAttempt() {
        StoreSink first = receiving();
        for (int page = 0; page < PAGES + 1; page++) {
            first.store(RAM, page, TestPages.of(1000), 0);
        }
        Runnable late = beside.remove();

        StoreSink second = receiving();
        store(second, 0, RAM_PAGES);
        late.run();
        park(second);
        assertWhole();
    }

    /** Else it would be two threads' at once. */
    @Test
    void whereNobodyCanBeAskedTheBatchIsWhoeverBroughtIts() throws DiskException {
        receiving();
        boolean[] refuses = {true};
        try (BlockFiles files = BlockFiles.open(disk, Shelf.FOLDER, new BlockTable(WEB1.blocks()), true)) {
            WriteBehind behind = new WriteBehind(files, new Behind(1, 2, work -> {
                if (refuses[0]) {
                    throw new IllegalStateException("no thread");
                }
                beside.add(work);
            }));
            PageBatch batch = new PageBatch(1);
            batch.add(RAM, 3, TestPages.of(4), 0);
            assertThatThrownBy(() -> behind.swap(batch)).hasMessage("no thread");
            assertThat(batch.holds(RAM, 3)).isTrue();
            assertThat(behind.holds(RAM, 3)).as("it was not taken").isFalse();

            refuses[0] = false;
            assertThat(behind.swap(batch)).isNotSameAs(batch);
            assertThat(beside).as("it is asked again").hasSize(1);
            beside.remove().run();
        }
        assertThat(isFiled(3, 4)).isTrue();
    }

    @Test
    void aResetForgetsItToo() {
        StoreSink sink = receiving();
        store(sink, 0, PAGES + 1);
        sink.reset();
        beside.remove().run();

        assertThat(isFiled(0, 1)).isFalse();
    }

    /** With a real thread: pages come again and again, some are read back, and the last ones are what is parked. */
    @Test
    void withARealThreadNothingIsLostOrOutOfOrder(@TempDir Path folder) {
        long seed = Long.getLong("godwit.store.seed", new Random().nextLong());
        SplittableRandom dice = new SplittableRandom(seed);
        long[] last = new long[RAM_PAGES];
        VmStore real = open(new OsDisk(), folder.resolve("vm"));
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            StoreSink sink = real.receive(WEB1, new Behind(PAGES, 2, thread::execute));
            long number = 1;
            for (int i = 0; i < 20_000 || number <= RAM_PAGES; i++) {
                int page = i < RAM_PAGES ? i : dice.nextInt(RAM_PAGES);
                if (last[page] > 0 && dice.nextInt(8) == 0) {
                    ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
                    sink.read(RAM, page, out);
                    assertThat(out.flip()).as("page %d, seed %d", page, seed).isEqualTo(TestPages.of(last[page]));
                }
                last[page] = number++;
                sink.store(RAM, page, TestPages.of(last[page]), 0);
            }
            park(real, sink);
        }
        try (real;
                StoreSource source = real.source()) {
            for (int page = 0; page < RAM_PAGES; page++) {
                assertThat(read(source, RAM, page))
                        .as("page %d, seed %d", page, seed)
                        .isEqualTo(TestPages.of(last[page]));
            }
        }
    }

    private void assertWhole() {
        try (StoreSource source = store.source()) {
            for (int page = 0; page < RAM_PAGES; page++) {
                assertThat(read(source, RAM, page)).isEqualTo(TestPages.of(page + 1));
            }
        }
    }
}
