// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A thread on which a parked guest's disk is waited for: one work after the other, in the order in which they were asked for. Whoever asks does not ask
 * again before it has heard, so that is bounded.
 */
final class DiskWorker {
    private static final System.Logger LOG = System.getLogger(DiskWorker.class.getName());

    private final LinkedBlockingQueue<Runnable> works = new LinkedBlockingQueue<>();
    private final Thread thread;
    private boolean ending;

    /** @param name of the thread, after Godwit's */
    DiskWorker(String name) {
        thread = Thread.ofPlatform().name("godwit-" + name).daemon().unstarted(this::work);
    }

    void start() {
        thread.start();
    }

    /** Any thread. */
    void submit(Runnable work) {
        works.add(work);
    }

    /**
     * Does what was asked for, then {@code last}, and ends.
     *
     * @param ended hears that, on this thread: null, or what {@code last} threw
     */
    void end(Runnable last, Consumer<@Nullable Throwable> ended) {
        works.add(() -> {
            ending = true;
            @Nullable Throwable failure = null;
            try {
                last.run();
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            ended.accept(failure);
        });
    }

    private void work() {
        while (!ending) {
            try {
                works.take().run();
            } catch (InterruptedException e) {
                // Nobody in Godwit interrupts; whoever did wants the works undone no more than we do.
                LOG.log(System.Logger.Level.WARNING, "the disk's thread was interrupted, and goes on", e);
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.ERROR, "a defect in a work for the disk", e);
            }
        }
    }
}
