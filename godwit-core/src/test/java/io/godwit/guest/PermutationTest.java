// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class PermutationTest {

    @Test
    void everyNumberComesOutOnce() {
        for (int size : new int[] {1, 2, 3, 4, 5, 63, 64, 65, 1000, 4096, 4097, 100_003}) {
            Permutation permutation = new Permutation(size, 7);
            BitSet seen = new BitSet();
            for (int i = 0; i < size; i++) {
                long image = permutation.apply(i);
                assertThat(image).isBetween(0L, size - 1L);
                seen.set((int) image);
            }
            assertThat(seen.cardinality()).as("size %d", size).isEqualTo(size);
        }
    }

    @Test
    void neighboursAreScattered() {
        Permutation permutation = new Permutation(100_000, 3);
        int near = 0;
        for (int i = 1; i < 10_000; i++) {
            near += Math.abs(permutation.apply(i) - permutation.apply(i - 1)) < 100 ? 1 : 0;
        }
        // By chance one pair in 500 is that near.
        assertThat(near).isBetween(1, 60);
    }

    @Test
    void aSeedGivesAlwaysTheSameOrderAndAnotherSeedAnother() {
        Permutation a = new Permutation(10_000, 1);
        Permutation b = new Permutation(10_000, 1);
        Permutation c = new Permutation(10_000, 2);
        int same = 0;
        for (int i = 0; i < 10_000; i++) {
            assertThat(a.apply(i)).isEqualTo(b.apply(i));
            same += a.apply(i) == c.apply(i) ? 1 : 0;
        }
        assertThat(same).isLessThan(20);
    }
}
