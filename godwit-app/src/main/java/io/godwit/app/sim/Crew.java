// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Threads that do numbered jobs, each the next one that nobody has taken. What fails in one ends them all, and is thrown by {@link #await}. */
final class Crew {
    private static final long LOOK_MILLIS = 200;

    private final AtomicLong next = new AtomicLong();
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<CompletableFuture<Void>> ends = new ArrayList<>();

    /**
     * Begins.
     *
     * @param jobs numbered from 0 on
     * @param job is called by several threads at a time
     */
    Crew(int threads, long jobs, LongConsumer job) {
        for (int i = 0; i < threads; i++) {
            CompletableFuture<Void> end = new CompletableFuture<>();
            ends.add(end);
            Thread.ofPlatform().daemon().name("godwit-sim-" + i).start(() -> work(jobs, job, end));
        }
    }

    private void work(long jobs, LongConsumer job, CompletableFuture<Void> end) {
        try {
            long number;
            while (!over.get() && (number = next.getAndIncrement()) < jobs) {
                job.accept(number);
            }
            end.complete(null);
        } catch (RuntimeException | Error e) {
            over.set(true);
            end.completeExceptionally(e);
        }
    }

    /** Takes no job up any more. */
    void stop() {
        over.set(true);
    }

    /** Waits for the end of all; {@code meanwhile} is run on this thread five times a second. */
    void await(Runnable meanwhile) {
        CompletableFuture<Void> all = CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
        while (!all.isDone()) {
            CompletableFuture.anyOf(all.copy().exceptionally(e -> null))
                    .completeOnTimeout(null, LOOK_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
            meanwhile.run();
        }
        all.join();
    }
}
