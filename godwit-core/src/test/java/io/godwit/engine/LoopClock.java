// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** How much of a processor an endpoint's loop takes, by the kernel's own account: the core does not read the JDK's management module. */
final class LoopClock {
    /** A thread's name as the kernel keeps it has 15 bytes. */
    private static final int KERNEL_NAME = 15;

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
        String shown = thread.substring(0, Math.min(KERNEL_NAME, thread.length()));
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.filter(task -> nameOf(task).equals(shown)).findAny().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Empty: it has ended since it was listed, or since its file was opened. */
    private static String nameOf(Path task) {
        try {
            return Files.readString(task.resolve("comm")).strip();
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("No such process")) {
                return "";
            }
            throw new UncheckedIOException(e);
        }
    }

    private static long nanosOnProcessor(Path task) {
        return Long.parseLong(read(task.resolve("schedstat")).split(" ", 2)[0]);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
