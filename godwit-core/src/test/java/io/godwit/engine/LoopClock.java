// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.sys.KernelTask;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** How much of a processor an endpoint's loop takes, by the kernel's own account. */
final class LoopClock {
    private LoopClock() {}

    /** The share of one processor, in percent, that the loop of each endpoint of these names takes over so many milliseconds. */
    static List<Double> percents(long millis, String... names) {
        List<Path> loops =
                Stream.of(names).map(name -> task("godwit-loop-" + name)).toList();
        List<Long> before = loops.stream().map(LoopClock::nanosOnProcessor).toList();
        long began = System.nanoTime();
        Pair.pause(millis);
        long nanos = System.nanoTime() - began;
        return IntStream.range(0, names.length)
                .mapToObj(i -> 100.0 * (nanosOnProcessor(loops.get(i)) - before.get(i)) / nanos)
                .toList();
    }

    private static Path task(String thread) {
        return KernelTask.named(thread).orElseThrow();
    }

    private static long nanosOnProcessor(Path task) {
        return Long.parseLong(KernelTask.read(task.resolve("schedstat")).split(" ", 2)[0]);
    }
}
