// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Compares what is encoded again with the original, message by message. */
final class Echo {
    private final byte[] original;
    private ByteBuffer scratch = ByteBuffer.allocate(1 << 16);
    private int at;

    Echo(byte[] original) {
        this.original = original;
    }

    int at() {
        return at;
    }

    void expect(StreamMessage message) {
        int size = StreamEncoder.size(message);
        StreamEncoder.write(message, room(size));
        compare(message, size);
    }

    void expect(MultifdMessage message) {
        int size = MultifdEncoder.size(message);
        MultifdEncoder.write(message, room(size));
        compare(message, size);
    }

    void expect(ReturnPathEncoder encoder, ReturnPathMessage message) {
        int size = encoder.size(message);
        encoder.write(message, room(size));
        compare(message, size);
    }

    private ByteBuffer room(int size) {
        if (scratch.capacity() < size) {
            scratch = ByteBuffer.allocate(2 * size);
        }
        return scratch.clear();
    }

    private void compare(Object message, int size) {
        if (scratch.position() != size
                || at + size > original.length
                || Arrays.mismatch(scratch.array(), 0, size, original, at, at + size) >= 0) {
            assertThat(Arrays.copyOf(scratch.array(), scratch.position()))
                    .as("%s at byte %d, encoded again", message, at)
                    .isEqualTo(Arrays.copyOfRange(original, at, Math.min(original.length, at + size)));
        }
        at += size;
    }
}
