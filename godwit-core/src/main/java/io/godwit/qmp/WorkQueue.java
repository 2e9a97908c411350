// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A bounded queue with an end, whose waits end with it: {@link java.util.concurrent.ArrayBlockingQueue} would need interrupts. */
final class WorkQueue<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<T> items = new ArrayDeque<>();
    private final int capacity;
    private boolean finished;

    WorkQueue(int capacity) {
        this.capacity = capacity;
    }

    /** Waits for room; after the end the item is dropped silently. */
    void put(T item) {
        lock.lock();
        try {
            while (items.size() == capacity && !finished) {
                changed.awaitUninterruptibly();
            }
            if (!finished) {
                items.add(item);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for an item; null once the end has come and nothing is left. */
    @Nullable
    T take() {
        lock.lock();
        try {
            while (items.isEmpty() && !finished) {
                changed.awaitUninterruptibly();
            }
            T item = items.poll();
            changed.signalAll();
            return item;
        } finally {
            lock.unlock();
        }
    }

    /** Nothing more comes in. */
    void finish() {
        lock.lock();
        try {
            finished = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
