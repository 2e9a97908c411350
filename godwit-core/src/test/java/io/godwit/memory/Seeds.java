// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

/** The seed of a random test: a new one each time, or the one to replay, given as {@code -Dgodwit.seed=}. */
public final class Seeds {
    private Seeds() {}

    public static long next() {
        String replay = System.getProperty("godwit.seed");
        long seed = replay == null ? System.nanoTime() : Long.parseLong(replay);
        System.out.println("replay with -Dgodwit.seed=" + seed);
        return seed;
    }
}
