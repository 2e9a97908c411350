// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** How much of a processor an endpoint's loop takes. */
final class LoopClock {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private LoopClock() {}

    /** The share of one processor, in percent, that the loop of the endpoint of that name takes over so many milliseconds. */
    static double percent(String name, long millis) {
        Thread loop = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("godwit-loop-" + name))
                .findAny()
                .orElseThrow();
        long before = THREADS.getThreadCpuTime(loop.threadId());
        long began = System.nanoTime();
        Pair.pause(millis);
        long used = THREADS.getThreadCpuTime(loop.threadId()) - before;
        assertThat(before).as("the loop lives").isNotNegative();
        return 100.0 * used / (System.nanoTime() - began);
    }
}
