// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** A thread of this process as the kernel has it: the core does not read the JDK's management module. */
public final class KernelTask {
    /** A thread's name as the kernel keeps it has 15 bytes. */
    private static final int NAME = 15;

    private KernelTask() {}

    /** Its folder in /proc. */
    public static Optional<Path> named(String thread) {
        String shown = thread.substring(0, Math.min(NAME, thread.length()));
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.filter(task -> read(task.resolve("comm")).strip().equals(shown))
                    .findAny();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What one of its files says; empty if the thread has ended, be it between two looks at it. */
    public static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            return "";
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("No such process")) {
                return "";
            }
            throw new UncheckedIOException(e);
        }
    }
}
