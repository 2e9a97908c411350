// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.qmp.QmpException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Asks both ends for their figures ten times a second, since no event tells how far a migration is. */
public final class Sampler implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 100;

    private final CompletableFuture<Void> closing = new CompletableFuture<>();
    private final Board board;
    private final List<End> ends;
    private final Thread thread;

    public Sampler(Board board, List<End> ends) {
        this.board = board;
        this.ends = List.copyOf(ends);
        this.thread = Thread.ofPlatform().daemon().name("godwit-sampler").start(this::run);
    }

    private void run() {
        while (!closing.isDone()) {
            for (End end : ends) {
                try {
                    end.sample();
                } catch (QmpException e) {
                    if (!closing.isDone()) {
                        board.fail("the " + end.side() + " does not answer any more: " + e.getMessage());
                    }
                    return;
                }
            }
            closing.copy()
                    .completeOnTimeout(null, INTERVAL_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        }
    }

    /** Asks no more; what was asked last may still come. */
    @Override
    public void close() {
        closing.complete(null);
    }

    public boolean isAlive() {
        return thread.isAlive();
    }
}
