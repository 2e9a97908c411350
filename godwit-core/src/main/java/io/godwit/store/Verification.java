// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Compares every page of a complete VM with its digest. Zero pages have no bytes of their own and are only counted.
 *
 * @param pages pages of the VM
 * @param zeroPages those that are zero
 * @param damagedPages those whose bytes are not what was received
 * @param damages the first {@link #MAX_NAMED} of these
 */
public record Verification(long pages, long zeroPages, long damagedPages, List<DamagedPageException> damages) {
    /** Most damaged pages that are named: a lost file has millions. */
    public static final int MAX_NAMED = 1000;

    private static final long STEP = 4096;

    public Verification {
        damages = List.copyOf(damages);
    }

    /** Whether nothing is damaged. */
    public boolean isWhole() {
        return damagedPages == 0;
    }

    /**
     * Reads everything; damage ends nothing, a disk that cannot read does.
     *
     * @param progress is told the number of pages looked at so far, every 4096 pages and at the end
     */
    public static Verification run(StoreSource source, LongConsumer progress) {
        BlockTable table = source.blocks();
        List<DamagedPageException> damages = new ArrayList<>();
        long done = 0;
        long zero = 0;
        long damaged = 0;
        for (int block = 0; block < table.size(); block++) {
            for (long page = 0; page < table.get(block).pages(); page++) {
                if (source.isZero(block, page)) {
                    zero++;
                } else {
                    try {
                        source.check(block, page);
                    } catch (DamagedPageException e) {
                        if (damaged++ < MAX_NAMED) {
                            damages.add(e);
                        }
                    }
                }
                if (++done % STEP == 0) {
                    progress.accept(done);
                }
            }
        }
        progress.accept(done);
        return new Verification(done, zero, damaged, damages);
    }
}
