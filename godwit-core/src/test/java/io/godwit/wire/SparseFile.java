// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A file in memory that knows which of its bytes were ever written and read. Reads as a disk does: sometimes less than was asked for. */
final class SparseFile implements MappedRamReader.Source, MappedRamWriter.Target {
    final BitSet written = new BitSet();
    final BitSet read = new BitSet();
    private final @Nullable Random random;
    private byte[] bytes;
    private int size;

    SparseFile(byte[] bytes, @Nullable Random random) {
        this.bytes = bytes.clone();
        this.size = bytes.length;
        this.random = random;
    }

    SparseFile() {
        this(new byte[0], null);
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    int size() {
        return size;
    }

    void cut(int length) {
        size = length;
    }

    @Override
    public int read(long position, ByteBuffer into) {
        assertThat(position).as("a position in a file").isNotNegative();
        if (position >= size) {
            return -1;
        }
        int most = (int) Math.min(into.remaining(), size - position);
        int n = random == null || most <= 1 ? most : 1 + random.nextInt(most);
        into.put(bytes, (int) position, n);
        read.set((int) position, (int) position + n);
        return n;
    }

    @Override
    public void write(long position, ByteBuffer from) {
        int n = from.remaining();
        int end = (int) position + n;
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(end, 2 * bytes.length));
        }
        from.get(bytes, (int) position, n);
        written.set((int) position, end);
        size = Math.max(size, end);
    }
}
