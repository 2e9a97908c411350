// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Writes a {@link ChurnGuest}'s memory before its first start: sweep 0 into the hot pages, their only content into the cold ones. */
final class ChurnFill {
    private static final int MOST_THREADS = 4;

    private ChurnFill() {}

    static void fill(GuestMemory memory, ChurnLayout layout, ChurnPages pages) {
        inParallel(layout.indexes(), (from, to) -> {
            long[] words = new long[ChurnPages.WORDS];
            for (long index = from; index < to; index++) {
                ChurnLayout.Role role = layout.role(index);
                if (role == ChurnLayout.Role.ZERO) {
                    continue;
                }
                long place = layout.place(index);
                pages.compose(words, place, role == ChurnLayout.Role.HOT ? layout.owner(index) : ChurnPages.COLD, 0);
                memory.block(ChurnLayout.block(place)).writePage(ChurnLayout.page(place), words);
            }
        });
    }

    /** A part of a range of numbers. */
    interface Part {
        void run(long from, long to);
    }

    /** Runs a part on each of up to four threads and waits for all. */
    static void inParallel(long count, Part part) {
        int threads = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_THREADS);
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            long from = count * i / threads;
            long to = count * (i + 1) / threads;
            FutureTask<Void> task = new FutureTask<>(() -> part.run(from, to), null);
            tasks.add(task);
            Thread.ofPlatform().name("churn-fill-" + i).daemon().start(task);
        }
        for (FutureTask<Void> task : tasks) {
            try {
                task.get();
            } catch (ExecutionException | InterruptedException e) {
                throw new IllegalStateException("a thread that goes through the guest's memory failed", e);
            }
        }
    }
}
