// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Batches of pages on their way to the files, in the order in which they were filled: written by another thread, or, when that falls behind or is busy otherwise, by the one that fills
 * them. One batch is written at a time, so a page is never overtaken by its older copy.
 *
 * <p>What could not be written stays and is written again by whoever hands over the next batch, or flushes, who then hears why it cannot be. Thread-safe.
 */
final class WriteBehind {
    private final BlockFiles files;
    private final Behind way;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition written = lock.newCondition();
    private final ArrayDeque<PageBatch> full = new ArrayDeque<>();
    private final ArrayDeque<PageBatch> spare = new ArrayDeque<>();
    private boolean writing;
    private boolean asked;
    private boolean failed;

    WriteBehind(BlockFiles files, Behind way) {
        this.files = files;
        this.way = way;
    }

    /** Takes a full batch and gives an empty one. If that throws, the batch is as full as before, and the caller's still. */
    PageBatch swap(PageBatch batch) throws DiskException {
        lock.lock();
        try {
            if (failed || way.batches() == 0) {
                writeAll(batch);
                return batch;
            }
            while (full.size() >= way.batches()) {
                if (writing) {
                    written.awaitUninterruptibly();
                } else {
                    writeOldest();
                }
            }
            PageBatch empty = spare.isEmpty() ? new PageBatch(way.pages()) : spare.remove();
            full.add(batch);
            ask(empty);
            return empty;
        } finally {
            lock.unlock();
        }
    }

    /** Has the other thread look here, unless it was asked already. If that cannot be done, the last batch was not taken. */
    private void ask(PageBatch instead) {
        if (asked) {
            return;
        }
        boolean done = false;
        try {
            way.elsewhere().accept(this::work);
            done = true;
        } finally {
            asked = done;
            if (!done) {
                full.removeLast();
                spare.add(instead);
            }
        }
    }

    /** Writes all that was handed over, then this batch, which is empty afterwards. */
    void flush(PageBatch last) throws DiskException {
        lock.lock();
        try {
            writeAll(last);
        } finally {
            lock.unlock();
        }
    }

    /** Forgets what was not written. Nothing is being written when it returns. */
    void drop() {
        lock.lock();
        try {
            if (writing) {
                // That one is its writer's until it is done. Nobody is to wait for more than one.
                PageBatch busy = full.remove();
                forget();
                full.add(busy);
                awaitWriter();
            }
            forget();
            failed = false;
        } finally {
            lock.unlock();
        }
    }

    private void forget() {
        for (PageBatch batch : full) {
            batch.clear();
        }
        spare.addAll(full);
        full.clear();
    }

    /** Whether the page's bytes may be here and not in its file yet. */
    boolean holds(int block, long page) {
        lock.lock();
        try {
            for (PageBatch batch : full) {
                if (batch.holds(block, page)) {
                    return true;
                }
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** What the other thread does. */
    private void work() {
        lock.lock();
        try {
            while (!full.isEmpty() && !failed && !writing) {
                writeOldest();
            }
        } catch (DiskException _) {
            // The batch is there still: whoever hands over the next one, or flushes, tries again and tells why it
            // cannot be.
            failed = true;
        } finally {
            asked = false;
            lock.unlock();
        }
    }

    private void writeAll(PageBatch last) throws DiskException {
        awaitWriter();
        while (!full.isEmpty()) {
            writeOldest();
            awaitWriter();
        }
        last.write(files);
        last.clear();
        failed = false;
    }

    /** There is one, and nobody is writing. With the lock, which others may have meanwhile. */
    private void writeOldest() throws DiskException {
        PageBatch oldest = full.element();
        writing = true;
        lock.unlock();
        boolean done = false;
        try {
            oldest.write(files);
            done = true;
        } finally {
            lock.lock();
            writing = false;
            written.signalAll();
            if (done) {
                oldest.clear();
                spare.add(full.remove());
            }
        }
    }

    private void awaitWriter() {
        while (writing) {
            written.awaitUninterruptibly();
        }
    }
}
