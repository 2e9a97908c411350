// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The guest's threads that wait for missing pages. A wait ends with its page or with the guest's stop, never by time.
 *
 * <p>No wake-up is lost: a waiter first shows itself and then looks whether the page is there; a publisher first sets the page's bit and then looks for
 * waiters, and both put a full fence in between. Publishing costs a fence and one read while nobody waits.
 */
final class Waiters {
    private final LatencyHistogram latencies = new LatencyHistogram();
    private final WaitedTime waited = new WaitedTime(System::nanoTime);
    private final AtomicInteger blocked = new AtomicInteger();
    private volatile Slot[] slots = {};
    private volatile boolean stopping;

    /** One thread that has ever waited here. */
    private static final class Slot {
        final Thread thread = Thread.currentThread();
        volatile @Nullable Wait wait;
    }

    /** One wait. A new object each, so that a late publisher can only stamp the wait it meant. */
    private static final class Wait {
        final long key;
        final long since = System.nanoTime();
        volatile long publishedAt;

        Wait(long key) {
            this.key = key;
        }
    }

    /** Says whether the page is there, read with acquire. */
    interface Presence {
        boolean get(long page);
    }

    /**
     * Asks for the page and waits until it is there. On a guest's thread.
     *
     * @throws GuestStopRequested if the guest is to stop and the page is not there
     */
    void await(int block, long page, Presence presence, PageRequests requests) {
        Slot slot = slot();
        Wait wait = new Wait(key(block, page));
        slot.wait = wait;
        blocked.incrementAndGet();
        waited.begin();
        try {
            VarHandle.fullFence();
            requests.add(block, page);
            while (!presence.get(page)) {
                if (stopping) {
                    throw new GuestStopRequested();
                }
                LockSupport.park(this);
                // An interrupt means nothing to a guest, and left pending it would turn the wait into a spin.
                Thread.interrupted();
            }
        } finally {
            waited.end();
            blocked.decrementAndGet();
            slot.wait = null;
        }
        long publishedAt = wait.publishedAt == 0 ? System.nanoTime() : wait.publishedAt;
        latencies.record(publishedAt - wait.since);
    }

    /** Wakes who waits for the page; its bit has been set before. Any thread. */
    void published(int block, long page) {
        VarHandle.fullFence();
        if (blocked.get() == 0) {
            return;
        }
        long key = key(block, page);
        for (Slot slot : slots) {
            Wait wait = slot.wait;
            if (wait != null && wait.key == key) {
                wait.publishedAt = System.nanoTime();
                LockSupport.unpark(slot.thread);
            }
        }
    }

    /** Ends all waits and those that would begin, until {@link #allow}. */
    void stop() {
        stopping = true;
        VarHandle.fullFence();
        for (Slot slot : slots) {
            if (slot.wait != null) {
                LockSupport.unpark(slot.thread);
            }
        }
    }

    void allow() {
        stopping = false;
    }

    int blocked() {
        return blocked.get();
    }

    LatencyHistogram latencies() {
        return latencies;
    }

    /** Nanoseconds in which at least one thread waited. */
    long waitedNanos() {
        return waited.nanos();
    }

    private Slot slot() {
        for (Slot slot : slots) {
            if (slot.thread == Thread.currentThread()) {
                return slot;
            }
        }
        Slot slot = new Slot();
        register(slot);
        return slot;
    }

    /** Threads come and go with each start and stop of the guest, so the ended ones make room. */
    private synchronized void register(Slot slot) {
        Slot[] alive =
                Arrays.stream(slots).filter(other -> other.thread.isAlive()).toArray(Slot[]::new);
        Slot[] next = Arrays.copyOf(alive, alive.length + 1);
        next[alive.length] = slot;
        slots = next;
    }

    private static long key(int block, long page) {
        return ((long) block << 40) | page;
    }
}
