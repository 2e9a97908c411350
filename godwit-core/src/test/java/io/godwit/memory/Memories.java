// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Small memories for tests, and looks at them. */
final class Memories {
    private Memories() {}

    /** Anonymous memory with blocks of so many pages, named block0, block1, … */
    static GuestMemory of(long... pages) {
        return of(Backing.ANONYMOUS, pages);
    }

    static GuestMemory of(Backing backing, long... pages) {
        List<BlockInfo> blocks = new ArrayList<>();
        for (long count : pages) {
            blocks.add(BlockInfo.of("block" + blocks.size(), count * Pages.SIZE));
        }
        try {
            return GuestMemory.allocate(blocks, backing);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Long> pages(PageBitmap bitmap) {
        List<Long> pages = new ArrayList<>();
        for (long page = bitmap.nextSet(0); page >= 0; page = bitmap.nextSet(page + 1)) {
            pages.add(page);
        }
        return pages;
    }

    /** A page of which every word is {@code word}. */
    static ByteBuffer page(long word) {
        ByteBuffer page = ByteBuffer.allocateDirect(Pages.SIZE).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 512; i++) {
            page.putLong(i * 8, word);
        }
        return page;
    }
}
