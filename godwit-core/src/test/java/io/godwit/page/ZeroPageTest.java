// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class ZeroPageTest {
    @Test
    void seesEveryByteOfThePageAndNoneBesideIt() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(3 * Pages.SIZE, Pages.SIZE);
            ByteBuffer buffer = memory.asByteBuffer().order(ByteOrder.BIG_ENDIAN);
            for (int at = 0; at < 3 * Pages.SIZE; at++) {
                memory.set(ValueLayout.JAVA_BYTE, at, (byte) 0x80);
                boolean inside = at >= Pages.SIZE && at < 2 * Pages.SIZE;

                assertThat(ZeroPage.isZero(memory, Pages.SIZE)).isEqualTo(!inside);
                assertThat(ZeroPage.isZero(buffer, Pages.SIZE)).isEqualTo(!inside);
                memory.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
            }
            assertThat(buffer.position()).isZero();
        }
    }

    @Test
    void needsNoAlignment() {
        ByteBuffer buffer =
                ByteBuffer.allocate(Pages.SIZE + 10).put(2, (byte) 1).put(Pages.SIZE + 3, (byte) 1);

        assertThat(ZeroPage.isZero(buffer, 3)).isTrue();
        assertThat(ZeroPage.isZero(buffer, 2)).isFalse();
        assertThat(ZeroPage.isZero(MemorySegment.ofArray(buffer.array()), 3)).isTrue();
        assertThat(ZeroPage.isZero(MemorySegment.ofArray(buffer.array()), 4)).isFalse();
    }
}
