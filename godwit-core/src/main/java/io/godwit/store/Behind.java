// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.util.function.Consumer;

/**
 * How pages that came get to their files while others come.
 *
 * @param pages that are written together at most, of 4 KiB each
 * @param batches of so many pages that may wait for the other thread; whoever brings another then writes the oldest itself, or waits for the one that is being written
 * @param elsewhere has something done on another thread, soon, beside everything else: it throws nothing that concerns anybody, and may do nothing
 */
public record Behind(int pages, int batches, Consumer<Runnable> elsewhere) {
    private static final int MANY_PAGES = 256;
    private static final int BATCHES = 4;

    /** For whoever has no other thread: each batch is written once it is full, by whoever brings the next page. */
    static final Behind NOT = new Behind(MANY_PAGES, 0, work -> {});

    /** As usual: up to 5 MiB are on their way. */
    public static Behind usual(Consumer<Runnable> elsewhere) {
        return new Behind(MANY_PAGES, BATCHES, elsewhere);
    }
}
