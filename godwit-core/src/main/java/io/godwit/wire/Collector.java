// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bytes of something that is longer than an input buffer. Grows with what has arrived, up to a limit that was checked before. One thread. */
final class Collector {
    private static final int FIRST = 4096;
    private final int limit;
    private byte[] bytes;
    private int size;

    Collector(int limit) {
        this.limit = limit;
        this.bytes = new byte[Math.min(limit, FIRST)];
    }

    int size() {
        return size;
    }

    /** Bytes up to the limit. */
    int room() {
        return limit - size;
    }

    /** Moves up to {@code count} bytes from {@code in}, as many as are there and have room. */
    void take(ByteBuffer in, int count) {
        int n = Math.min(Math.min(count, in.remaining()), room());
        if (size + n > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(limit, Math.max(size + n, 2L * bytes.length)));
        }
        in.get(bytes, size, n);
        size += n;
    }

    /** Takes what it still lacks up to its limit; the bytes once they are complete, else null and the reader's missing count set. */
    byte @Nullable [] fill(ByteBuffer in, Reader reader) {
        take(in, room());
        if (room() > 0) {
            reader.setMissing(room());
            return null;
        }
        return range(0, size);
    }

    byte at(int index) {
        return bytes[index];
    }

    int intAt(int index) {
        return ByteBuffer.wrap(bytes).getInt(index);
    }

    /** The devices of the vmdesc that stands from {@code from} to {@code to}. */
    List<DescribedDevice> describedDevices(int from, int to) throws WireException {
        return DescribedDevice.parse(bytes, from, to, from);
    }

    /** The bytes from {@code from} to {@code to}; the array itself if that is all of it. */
    byte[] range(int from, int to) {
        return from == 0 && to == bytes.length ? bytes : Arrays.copyOfRange(bytes, from, to);
    }
}
