// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.function.LongConsumer;

/**
 * Measures, roughly, what an access to guest RAM costs; not a test. Run its main with the compiled classes and tests on the class path and
 * {@code --enable-native-access=ALL-UNNAMED}. Prints the best of several rounds, in nanoseconds per operation.
 */
final class AccessorCosts {
    private static final int ROUNDS = 4_000;
    private static final int PAGES = 64;
    private static final long SIZE = (long) PAGES * Pages.SIZE;
    private static volatile long sink;

    private AccessorCosts() {}

    public static void main(String[] args) {
        try (GuestMemory plain = Memories.of(PAGES);
                GuestMemory postcopy = Memories.of(PAGES + 1)) {
            for (int page = 0; page < PAGES; page++) {
                postcopy.asSink().store(0, page, Memories.page(page + 1), 0);
                plain.asSink().store(0, page, Memories.page(page + 1), 0);
            }
            postcopy.asSink().beginPostcopy();
            words("getLong in order", plain.block(0), postcopy.block(0), AccessorCosts::get);
            words("putLong in order", plain.block(0), postcopy.block(0), AccessorCosts::put);
            words("getLong scattered", plain.block(0), postcopy.block(0), AccessorCosts::getScattered);
            words("putLong scattered", plain.block(0), postcopy.block(0), AccessorCosts::putScattered);
            pages(plain);
        }
    }

    private interface Walk {
        void over(RamBlock ram);
    }

    private static void words(String name, RamBlock plain, RamBlock postcopy, Walk walk) {
        print(name, SIZE / 8, ignored -> walk.over(plain));
        print(name + ", presence looked at", SIZE / 8, ignored -> walk.over(postcopy));
    }

    private static void get(RamBlock ram) {
        long sum = 0;
        for (long at = 0; at < SIZE; at += 8) {
            sum += ram.getLong(at);
        }
        sink = sum;
    }

    private static void put(RamBlock ram) {
        for (long at = 0; at < SIZE; at += 8) {
            ram.putLong(at, at);
        }
    }

    private static void getScattered(RamBlock ram) {
        long sum = 0;
        for (long i = 0, at = 0; i < SIZE / 8; i++, at = (at + 0x9E3779B8L) & (SIZE - 8)) {
            sum += ram.getLong(at);
        }
        sink = sum;
    }

    private static void putScattered(RamBlock ram) {
        for (long i = 0, at = 0; i < SIZE / 8; i++, at = (at + 0x9E3779B8L) & (SIZE - 8)) {
            ram.putLong(at, i);
        }
    }

    private static void pages(GuestMemory memory) {
        long[] words = new long[512];
        ByteBuffer buffer = ByteBuffer.allocateDirect(Pages.SIZE);
        print("readPage", PAGES, i -> eachPage(page -> memory.block(0).readPage(page, words)));
        print("writePage", PAGES, i -> eachPage(page -> memory.block(0).writePage(page, words)));
        print(
                "zero test of a zero page",
                PAGES,
                i -> eachPage(page -> sink = memory.asSource().isZero(0, page) ? 1 : 0));
        print("source read", PAGES, i -> eachPage(page -> memory.asSource().read(0, page, buffer.clear())));
        print("sink store", PAGES, i -> eachPage(page -> memory.asSink().store(0, page, buffer, 0)));
        print("checksum", PAGES, i -> eachPage(page -> sink = memory.checksum(0, page)));
    }

    private static void eachPage(LongConsumer work) {
        for (long page = 0; page < PAGES; page++) {
            work.accept(page);
        }
    }

    private static void print(String name, long operations, LongConsumer round) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            long begin = System.nanoTime();
            round.accept(i);
            best = Math.min(best, System.nanoTime() - begin);
        }
        System.out.printf(Locale.ROOT, "%-40s %8.2f ns%n", name, (double) best / operations);
    }
}
