// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.sim.SimDisk;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The pages of a {@link CrashStory}, as they were given to the store, and what must be true of them. */
final class CrashPages {
    private final SimDisk disk;
    /** By block and page: the number of the page that was given last. */
    final long[][] given = {new long[Shelf.RAM_PAGES], new long[Shelf.ROM_PAGES]};
    /** Pages that a checkpoint has said to be durable. */
    private final PageBitmap[] promised = {new PageBitmap(Shelf.RAM_PAGES), new PageBitmap(Shelf.ROM_PAGES)};

    CrashPages(SimDisk disk) {
        this.disk = disk;
    }

    /** A checkpoint has said that these are durable. */
    void promise(List<PageBitmap> now) {
        for (int block = 0; block < promised.length; block++) {
            for (int i = 0; i < promised[block].wordCount(); i++) {
                promised[block].orWord(i, now.get(block).word(i));
            }
        }
    }

    void checkPromised(StoreSink sink) {
        for (int block = 0; block < promised.length; block++) {
            for (long page = promised[block].nextSet(0); page >= 0; page = promised[block].nextSet(page + 1)) {
                assertThat(sink.received(block).get(page))
                        .as("page %d of block %d, which a checkpoint had", page, block)
                        .isTrue();
            }
        }
    }

    /** What the bitmap claims lies in the files as it was given. */
    void checkClaims(StoreSink sink) {
        for (int block = 0; block < given.length; block++) {
            byte[] file = Objects.requireNonNull(disk.peek(Shelf.FOLDER.resolve(Manifest.ramFile(block))));
            for (long page = sink.received(block).nextSet(0);
                    page >= 0;
                    page = sink.received(block).nextSet(page + 1)) {
                if (given[block][(int) page] == 0 && disk.hasFailedSync()) {
                    continue; // the zero map decides; whether zeroes are in the file, too, cannot be known after a
                    // failed sync
                }
                ByteBuffer bytes = ByteBuffer.wrap(file, (int) page * Pages.SIZE, Pages.SIZE);
                assertThat(bytes.equals(TestPages.of(given[block][(int) page])))
                        .as("page %d of block %d, received, is in its file as it was given", page, block)
                        .isTrue();
            }
        }
    }

    /** Every page that is read is the one that was given last. */
    void check(VmStore store) {
        try (StoreSource source = store.source()) {
            for (int block = 0; block < given.length; block++) {
                for (int page = 0; page < given[block].length; page++) {
                    assertThat(source.isZero(block, page)).isEqualTo(given[block][page] == 0);
                    assertThat(Shelf.read(source, block, page).equals(TestPages.of(given[block][page])))
                            .as("page %d of block %d", page, block)
                            .isTrue();
                }
            }
        }
        assertThat(store.devices()).isIn(Shelf.BLOB, Shelf.DEVICES);
    }

    void clear() {
        for (int block = 0; block < given.length; block++) {
            Arrays.fill(given[block], 0);
            promised[block].clearAll();
        }
    }
}
