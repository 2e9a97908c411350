// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class RingTest {

    /** A byte and when it may leave. */
    private record Held(byte value, long releaseAt) {}

    @RepeatedTest(50)
    void itIsAQueueThatReleasesEveryByteAtItsTimeAndNotBefore() {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        Random random = new Random(seed);
        Ring ring = new Ring(1 + random.nextInt(100));
        int capacity = ring.room();
        Deque<Held> model = new ArrayDeque<>();
        long now = random.nextLong();
        byte next = 0;
        for (int step = 0; step < 2000; step++) {
            now += random.nextInt(3);
            if (random.nextBoolean()) {
                ByteBuffer room = ring.roomSlice(1 + random.nextInt(50));
                int count = random.nextInt(room.remaining() + 1);
                long delay = random.nextInt(10);
                long release = model.isEmpty()
                        ? now + delay
                        : Math.max(now + delay, model.getLast().releaseAt());
                for (int i = 0; i < count; i++) {
                    room.put(next);
                    model.add(new Held(next++, release));
                }
                ring.filled(count, now + delay);
            } else {
                long time = now;
                int free = (int)
                        model.stream().takeWhile(h -> h.releaseAt() - time <= 0).count();
                assertThat(ring.released(now))
                        .as("-Dgodwit.seed=%d, step %d", seed, step)
                        .isEqualTo(free);
                assertThat(ring.nextRelease(now) == 0).isEqualTo(free > 0 || model.isEmpty());
                ByteBuffer bytes = ring.releasedSlice(ring.released(now));
                int count = random.nextInt(bytes.remaining() + 1);
                for (int i = 0; i < count; i++) {
                    assertThat(bytes.get())
                            .as("-Dgodwit.seed=%d, step %d", seed, step)
                            .isEqualTo(model.remove().value());
                }
                ring.drained(count);
            }
            assertThat(ring.room()).isEqualTo(capacity - model.size());
        }
    }

    @Test
    void moreTimesThanItCanKeepApartLeaveLaterNeverEarlier() {
        Ring ring = new Ring(10_000);
        for (int i = 0; i < 10_000; i++) {
            ring.roomSlice(1).put((byte) i);
            ring.filled(1, i);
        }
        assertThat(ring.released(1000)).isEqualTo(1001);
        assertThat(ring.released(9998)).isLessThan(9999);
        assertThat(ring.released(9999)).isEqualTo(10_000);
    }
}
