// SPDX-License-Identifier: Apache-2.0

package io.godwit.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;

/** What an input may cost: steps and heap in proportion to its bytes, whatever sizes it announces. For the thread that made it. */
public final class Budget {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** Heap of an input of any length: buffers and tables of a decoder. */
    private static final long FIXED_HEAP = 1 << 20;
    /** Heap per byte of input. A block list's entry of 10 bytes makes some 300. */
    private static final long HEAP_PER_BYTE = 256;

    private static final long FIXED_STEPS = 64;

    private final int bytes;
    private long steps;

    private Budget(int bytes) {
        this.bytes = bytes;
    }

    /**
     * Does the work and looks at what it has cost. If that was too much the work is done once more, and that counts: the first time, classes are loaded and
     * instrumented in this thread.
     *
     * @param bytes length of the input
     */
    public static void holds(int bytes, Consumer<Budget> work) {
        long most = FIXED_HEAP + HEAP_PER_BYTE * bytes;
        if (heap(bytes, work) <= most) {
            return;
        }
        long heap = heap(bytes, work);
        if (heap > most) {
            throw new AssertionError(heap + " bytes of heap for " + bytes + " bytes of input");
        }
    }

    private static long heap(int bytes, Consumer<Budget> work) {
        Budget budget = new Budget(bytes);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        work.accept(budget);
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    /** One message or call more. */
    public void step() {
        if (++steps > bytes + FIXED_STEPS) {
            throw new AssertionError(steps + " steps for " + bytes + " bytes: it makes no progress");
        }
    }
}
