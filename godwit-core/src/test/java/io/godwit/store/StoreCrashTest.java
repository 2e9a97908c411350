// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A VM's whole time in the store, over several lives of the process, each of which ends by a power loss or a kill at any call to the disk, with syncs that fail and a
 * disk that is full now and then. {@link CrashStory} says what must hold at each new beginning.
 */
class StoreCrashTest {
    private static final int BATCHES = 8;
    private static final int RUNS = Integer.getInteger("godwit.store.runs", 160);

    @TestFactory
    Stream<DynamicTest> aStoreIsNeverWrongAfterACrash() {
        long seed = Long.getLong("godwit.store.seed", new Random().nextLong());
        if (Long.getLong("godwit.store.seed") != null) {
            return Stream.of(DynamicTest.dynamicTest("seed " + seed, () -> new CrashStory(seed).tell()));
        }
        return LongStream.range(0, BATCHES)
                .mapToObj(batch -> DynamicTest.dynamicTest("batch " + batch, () -> {
                    for (int run = 0; run < RUNS / BATCHES; run++) {
                        long one = seed + batch * 1_000_003 + run;
                        try {
                            new CrashStory(one).tell();
                        } catch (AssertionError | RuntimeException e) {
                            throw new AssertionError(
                                    "replay with -Dgodwit.store.seed=" + one + ": " + e.getMessage(), e);
                        }
                    }
                }));
    }
}
