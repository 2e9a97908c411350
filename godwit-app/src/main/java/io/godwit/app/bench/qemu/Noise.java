// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What the guests hold: numbers that no compression helps with, no page like another, in a file that QEMU loads into a guest's memory at reset, at the speed of a copy. (A guest that
 * computes them itself needs ten seconds for a gigabyte under emulation.) The guest has nothing to boot from and idles in its firmware.
 *
 * @param bytes a multiple of 1 MiB
 */
record Noise(Path file, long bytes) {
    /** What the firmware has for itself, at the beginning of the guest's memory. */
    static final long LOW = 16L << 20;
    /** Where all the rest of it is, in the guest's eyes. A firmware puts tables at the end of what is below, so that is kept small: no guest is too large for its noise to be in one piece. */
    static final long ADDRESS = 4L << 30;

    private static final int CHUNK = 1 << 20;
    private static final long STEP = 0x9e3779b97f4a7c15L;

    /** Writes it, by xorshift. */
    static Noise write(Path file, long bytes, long seed) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        long x = seed ^ STEP;
        x = x == 0 ? STEP : x;
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += CHUNK) {
                for (chunk.clear(); chunk.hasRemaining(); chunk.putLong(x)) {
                    x ^= x << 13;
                    x ^= x >>> 7;
                    x ^= x << 17;
                }
                chunk.flip();
                while (chunk.hasRemaining()) {
                    out.write(chunk);
                }
            }
        }
        return new Noise(file, bytes);
    }

    /** Stops a guest and compares its memory: a figure of a migration that lost something is worth nothing. */
    void verify(Vm vm) throws IOException, BenchFailed {
        vm.order("stop");
        Path dump = file.resolveSibling("dump");
        try {
            vm.save(ADDRESS, bytes, dump);
            long at = Files.mismatch(file, dump);
            if (at >= 0) {
                throw new BenchFailed("the memory of " + vm.name() + " is wrong from byte " + (ADDRESS + at) + " on");
            }
        } finally {
            Files.deleteIfExists(dump);
        }
    }

    /** As {@link #verify}, of a parked VM whose main memory is its first block. */
    void verifyParked(Path store) throws IOException, BenchFailed {
        try (FileChannel here = FileChannel.open(file);
                FileChannel there = FileChannel.open(store.resolve("ram-0"));
                Arena arena = Arena.ofConfined()) {
            MemorySegment wanted = here.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
            MemorySegment found = there.map(FileChannel.MapMode.READ_ONLY, LOW, bytes, arena);
            long at = wanted.mismatch(found);
            if (at >= 0) {
                throw new BenchFailed("the memory in " + store + " is wrong from byte " + (LOW + at) + " of ram-0 on");
            }
        }
    }

    double gib() {
        return bytes / (double) (1L << 30);
    }
}
