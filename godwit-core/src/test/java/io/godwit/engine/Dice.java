// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import java.util.List;
import java.util.Random;

/** Chance that can be replayed: a new seed each time, printed, or the one of {@code -Dgodwit.seed}. */
final class Dice {
    private final Random random;

    Dice(String test) {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        System.out.println(test + ": replay with -Dgodwit.seed=" + seed);
        random = new Random(seed);
    }

    /** One to {@code most}. */
    int upTo(int most) {
        return 1 + random.nextInt(most);
    }

    <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
