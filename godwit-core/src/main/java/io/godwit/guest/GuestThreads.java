// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The switch that runs and stops a guest's threads. They are daemon platform threads that end with each stop and begin anew with each start. Thread-safe; nothing
 * here waits for them.
 */
final class GuestThreads {
    /** What one thread does until it is told to stop. */
    record Body(String name, Runnable work) {}

    private enum State {
        STOPPED,
        RUNNING,
        STOPPING
    }

    private final Supplier<List<Body>> bodies;
    private final Runnable beforeStart;
    private final Runnable onStop;
    private final List<Thread> threads = new ArrayList<>();
    private final List<Runnable> callbacks = new ArrayList<>();
    private State state = State.STOPPED;
    private boolean startAgain;
    private boolean closed;
    private int alive;
    private volatile boolean stopping;

    /**
     * @param bodies made anew for each start
     * @param beforeStart called before the threads start
     * @param onStop called when they are asked to stop: ends what they may be waiting for
     */
    GuestThreads(Supplier<List<Body>> bodies, Runnable beforeStart, Runnable onStop) {
        this.bodies = bodies;
        this.beforeStart = beforeStart;
        this.onStop = onStop;
    }

    /** Whether the threads are to end now. */
    BooleanSupplier stopping() {
        return () -> stopping;
    }

    synchronized void start() {
        if (closed) {
            throw new IllegalStateException("a closed guest cannot be started");
        }
        switch (state) {
            case RUNNING -> {}
            case STOPPING -> startAgain = true;
            case STOPPED -> {
                List<Body> next = bodies.get();
                beforeStart.run();
                stopping = false;
                threads.clear();
                for (Body body : next) {
                    threads.add(Thread.ofPlatform().name(body.name()).daemon().unstarted(() -> run(body)));
                }
                startAll();
            }
        }
    }

    private void startAll() {
        state = State.RUNNING;
        for (Thread thread : threads) {
            alive++;
            try {
                thread.start();
            } catch (OutOfMemoryError e) {
                // The system has no thread left for us: those that run end again, and the caller hears of it.
                alive--;
                state = State.STOPPING;
                stopping = true;
                onStop.run();
                throw e;
            }
        }
    }

    /** @param stopped called once no thread of the guest runs any more: on the last of them, or here if none runs */
    void stop(Runnable stopped) {
        synchronized (this) {
            callbacks.add(stopped);
            startAgain = false;
            if (state == State.RUNNING) {
                state = State.STOPPING;
                stopping = true;
                onStop.run();
                threads.forEach(LockSupport::unpark);
            }
        }
        finishIfEnded();
    }

    synchronized boolean isRunning() {
        return state == State.RUNNING;
    }

    synchronized boolean isStopped() {
        return state == State.STOPPED;
    }

    void close() {
        synchronized (this) {
            closed = true;
        }
        stop(() -> {});
    }

    private void run(Body body) {
        try {
            body.work().run();
        } finally {
            synchronized (this) {
                alive--;
            }
            finishIfEnded();
        }
    }

    /** A thread that failed may be the last to end long before a stop: then the guest still counts as running. */
    private void finishIfEnded() {
        List<Runnable> told;
        synchronized (this) {
            if (state == State.RUNNING || alive > 0) {
                return;
            }
            state = State.STOPPED;
            told = List.copyOf(callbacks);
            callbacks.clear();
        }
        told.forEach(Runnable::run);
        synchronized (this) {
            if (startAgain && state == State.STOPPED && !closed) {
                startAgain = false;
                start();
            }
        }
    }
}
