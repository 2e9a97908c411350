// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a process has used so far.
 *
 * @param cpuSeconds of all its threads, in steps of a hundredth
 * @param peakBytes of its own memory that were in RAM at once, page cache that it maps included
 */
record Usage(double cpuSeconds, long peakBytes) {
    private static final Usage NONE = new Usage(0, 0);
    private static final double TICKS_PER_SECOND = 100;
    /** Fields of {@code /proc/PID/stat} behind the name, which may hold spaces: proc(5) counts from 1 and the name is field 2. */
    private static final int USER = 14 - 3;

    private static final int SYSTEM = 15 - 3;

    /** Of a running process; {@code last} if it has ended. */
    static Usage of(long pid, Usage last) {
        Path process = Path.of("/proc", Long.toString(pid));
        try {
            String stat = Files.readString(process.resolve("stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            double cpu = (Long.parseLong(fields[USER]) + Long.parseLong(fields[SYSTEM])) / TICKS_PER_SECOND;
            long peak = Files.readAllLines(process.resolve("status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                    .max()
                    .orElse(0);
            return new Usage(Math.max(cpu, last.cpuSeconds), Math.max(peak, last.peakBytes));
        } catch (IOException ended) {
            return last;
        }
    }

    static Usage of(long pid) {
        return of(pid, NONE);
    }

    /** CPU seconds used since then. */
    double since(Usage earlier) {
        return cpuSeconds - earlier.cpuSeconds;
    }
}
