// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.Random;

/** Randomness of a test: a new seed each time, printed, or the one of -Dgodwit.seed. */
final class Seed {
    private Seed() {}

    static Random random(String test) {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        System.out.println(test + ": replay with -Dgodwit.seed=" + seed);
        return new Random(seed);
    }
}
