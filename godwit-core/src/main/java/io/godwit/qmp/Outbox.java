// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The bytes that wait for a peer to read, at most so many; any threads may put, one takes. */
final class Outbox {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<byte[]> lines = new ArrayDeque<>();
    private final long limit;
    private long held;
    private boolean finished;
    private boolean closed;

    /** @param limit in bytes; a single longer line still has room when nothing else waits */
    Outbox(long limit) {
        this.limit = limit;
    }

    /** Never waits. False if there is no room; what comes after the end is dropped silently. */
    boolean offer(byte[] line) {
        lock.lock();
        try {
            if (finished || closed) {
                return true;
            }
            if (!hasRoom(line)) {
                return false;
            }
            add(line);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for room, or for the end; what comes after the end is dropped silently. */
    void put(byte[] line) {
        lock.lock();
        try {
            while (!finished && !closed && !hasRoom(line)) {
                changed.awaitUninterruptibly();
            }
            if (!finished && !closed) {
                add(line);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a line; null when no more will come. */
    byte @Nullable [] take() {
        lock.lock();
        try {
            while (lines.isEmpty() && !finished && !closed) {
                changed.awaitUninterruptibly();
            }
            byte[] line = closed ? null : lines.poll();
            if (line != null) {
                held -= line.length;
                changed.signalAll();
            }
            return line;
        } finally {
            lock.unlock();
        }
    }

    /** Nothing more comes in; what is there may still be taken. */
    void finish() {
        lock.lock();
        try {
            finished = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing more comes in or out. */
    void close() {
        lock.lock();
        try {
            closed = true;
            lines.clear();
            held = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean hasRoom(byte[] line) {
        return lines.isEmpty() || held + line.length <= limit;
    }

    private void add(byte[] line) {
        lines.add(line);
        held += line.length;
        changed.signalAll();
    }
}
