// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageBitmapTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 64, 65, 127, 128, 129, 1000})
    void doesWhatABitSetDoes(int pages) {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        System.out.println("doesWhatABitSetDoes: replay with -Dgodwit.seed=" + seed);
        Random random = new Random(seed);
        PageBitmap bitmap = new PageBitmap(pages);
        BitSet model = new BitSet();
        for (int i = 0; i < 3_000; i++) {
            int a = random.nextInt(pages);
            int b = a + random.nextInt(pages - a + 1);
            switch (random.nextInt(8)) {
                case 0 -> {
                    bitmap.setRange(a, b);
                    model.set(a, b);
                }
                case 1 -> {
                    bitmap.clearRange(a, b);
                    model.clear(a, b);
                }
                case 2 -> {
                    assertThat(bitmap.set(a)).isEqualTo(!model.get(a));
                    model.set(a);
                }
                case 3 -> {
                    assertThat(bitmap.clear(a)).isEqualTo(model.get(a));
                    model.clear(a);
                }
                case 4 -> {
                    bitmap.setAll();
                    model.set(0, pages);
                }
                case 5 -> {
                    bitmap.clearAll();
                    model.clear();
                }
                default -> {
                    bitmap.setWord(a >> 6, random.nextLong());
                    model.clear(a & ~63, Math.min(pages, (a | 63) + 1));
                    for (int p = a & ~63; p < Math.min(pages, (a | 63) + 1); p++) {
                        model.set(p, bitmap.get(p));
                    }
                }
            }
            assertThat(bitmap.cardinality()).isEqualTo(model.cardinality());
            assertThat(bitmap.cardinality(a, b)).isEqualTo(model.get(a, b).cardinality());
            assertThat(bitmap.nextSet(a)).isEqualTo(model.nextSetBit(a));
            int clear = model.nextClearBit(a);
            assertThat(bitmap.run(a, b - a + 1)).isEqualTo(Math.min(Math.min(clear, pages) - a, b - a + 1));
            assertThat(bitmap.nextClear(a)).isEqualTo(clear < pages ? clear : -1);
        }
        assertThat(bitmap.nextSet(pages)).isEqualTo(-1);
        assertThat(bitmap.nextClear(pages)).isEqualTo(-1);
    }

    @Test
    void neverSetsABitPastItsLastPage() {
        PageBitmap bitmap = new PageBitmap(70);

        bitmap.setWord(1, -1L);
        assertThat(bitmap.cardinality()).isEqualTo(6);
        assertThat(bitmap.orWord(1, -1L)).isEqualTo(0x3f);
        bitmap.setAll();

        assertThat(bitmap.cardinality()).isEqualTo(70);
        assertThat(bitmap.word(1)).isEqualTo(0x3f);
    }

    @Test
    void refusesWhatIsOutside() {
        PageBitmap bitmap = new PageBitmap(70);

        assertThatThrownBy(() -> bitmap.get(70)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bitmap.set(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bitmap.setRange(0, 71)).hasMessageContaining("0 to 71");
        assertThatThrownBy(() -> bitmap.clearRange(5, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bitmap.nextSet(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new PageBitmap(0)).hasMessageContaining("got 0");
        assertThatThrownBy(() -> new PageBitmap((1L << 36) + 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void goesOverTheWireLowestPageFirst() {
        PageBitmap bitmap = new PageBitmap(70);
        bitmap.set(0);
        bitmap.set(9);
        bitmap.set(64);
        ByteBuffer out = ByteBuffer.allocate(20);

        assertThat(bitmap.putWords(out, 0)).isEqualTo(2);

        assertThat(out.array())
                .startsWith(1, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
                .endsWith(0, 0, 0, 0);
        assertThat(out.order()).isEqualTo(java.nio.ByteOrder.BIG_ENDIAN);
        PageBitmap back = new PageBitmap(70);
        assertThat(back.takeWords(out.flip(), 0)).isEqualTo(2);
        assertThat(back).isEqualTo(bitmap).hasSameHashCodeAs(bitmap);
    }

    @Test
    void comesBackFromAnyPieces() {
        PageBitmap bitmap = new PageBitmap(64 * 100 + 3);
        Random random = new Random(1);
        for (int i = 0; i < bitmap.wordCount(); i++) {
            bitmap.setWord(i, random.nextLong());
        }
        PageBitmap back = new PageBitmap(bitmap.pages());
        ByteBuffer pipe = ByteBuffer.allocate(37);
        int written = 0;
        int read = 0;
        while (read < bitmap.wordCount()) {
            written += bitmap.putWords(pipe, written);
            pipe.flip();
            read += back.takeWords(pipe, read);
            pipe.compact();
        }

        assertThat(back).isEqualTo(bitmap);
    }

    @Test
    void stopsBeforeAWordWithBitsPastTheEnd() {
        ByteBuffer in = ByteBuffer.allocate(16).putLong(-1L).putLong(-1L).flip();
        PageBitmap bitmap = new PageBitmap(70);

        assertThat(bitmap.takeWords(in, 0)).isEqualTo(-2);

        assertThat(in.position()).isEqualTo(8);
        assertThat(bitmap.cardinality()).isEqualTo(64);
    }

    @Test
    void aPageThatManyClaimGoesToExactlyOne() throws Exception {
        PageBitmap bitmap = new PageBitmap(50_000);
        AtomicLong claimed = new AtomicLong();
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(() -> {
                for (long p = 0; p < bitmap.pages(); p++) {
                    if (bitmap.set(p)) {
                        claimed.incrementAndGet();
                    }
                }
            });
            threads[t].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(claimed).hasValue(50_000);
    }

    @Test
    void copiesShareNothing() {
        PageBitmap bitmap = new PageBitmap(100);
        bitmap.setRange(10, 90);
        PageBitmap copy = bitmap.copy();

        assertThat(copy).isEqualTo(bitmap);
        copy.clear(50);

        assertThat(bitmap.get(50)).isTrue();
        assertThat(copy).isNotEqualTo(bitmap);
        assertThat(new PageBitmap(100)).isNotEqualTo(new PageBitmap(101));
    }
}
