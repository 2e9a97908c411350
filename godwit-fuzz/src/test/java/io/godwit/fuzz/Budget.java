// SPDX-License-Identifier: Apache-2.0

package io.godwit.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What an input may cost: steps, heap and processor time in proportion to its bytes, whatever sizes it announces. For the thread that made it. */
public final class Budget {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** Heap of an input of any length: buffers and tables of a decoder. */
    private static final long FIXED_HEAP = 1 << 20;
    /** Heap per byte of input. A block list's entry of 10 bytes makes some 300. */
    private static final long HEAP_PER_BYTE = 256;

    private static final long FIXED_STEPS = 64;

    /** Time of an input of any length: what the collector and the compilers take from a busy machine. */
    private static final long FIXED_NANOS = 200_000_000;
    /** Time per byte of input, instrumented: some ten times what the slowest decoder takes. */
    private static final long NANOS_PER_BYTE = 20_000;

    /** The first time, classes are loaded and instrumented; any time, a machine may stand still. */
    private static final int TRIES = 3;

    private final int bytes;
    private final long fixedHeap;
    private long steps;

    private Budget(int bytes, long fixedHeap) {
        this.bytes = bytes;
        this.fixedHeap = fixedHeap;
    }

    /**
     * Does the work and looks at what it has cost; if that was too much, once more, and too much three times in a row is a finding. What does not end at all is for whoever
     * runs this: {@code bin/fuzz} ends an input after 10 s, JUnit a test after 60.
     *
     * @param bytes length of the input
     */
    public static void holds(int bytes, Consumer<Budget> work) {
        holds(bytes, FIXED_HEAP, work);
    }

    /** @param fixedHeap heap of an input of any length, bytes */
    public static void holds(int bytes, long fixedHeap, Consumer<Budget> work) {
        String tooMuch = null;
        for (int i = 0; i < TRIES; i++) {
            tooMuch = new Budget(bytes, fixedHeap).tooMuch(work);
            if (tooMuch == null) {
                return;
            }
        }
        throw new AssertionError(tooMuch + " for " + bytes + " bytes of input");
    }

    private @Nullable String tooMuch(Consumer<Budget> work) {
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long begun = THREADS.getCurrentThreadCpuTime();
        work.accept(this);
        long nanos = THREADS.getCurrentThreadCpuTime() - begun;
        long heap = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        if (heap > fixedHeap + HEAP_PER_BYTE * bytes) {
            return heap + " bytes of heap";
        }
        return nanos > FIXED_NANOS + NANOS_PER_BYTE * bytes ? nanos + " ns" : null;
    }

    /** One message or call more. */
    public void step() {
        if (++steps > bytes + FIXED_STEPS) {
            throw new AssertionError(steps + " steps for " + bytes + " bytes: it makes no progress");
        }
    }
}
