// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.Xbzrle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What was sent last of pages, so that the next time the difference is enough ({@code spec/stream.md §7.3}). Each page has one place, which it shares with
 * others if there are fewer places than pages: the one sent last has it. Memory is taken as places are used. Only in precopy: what is
 * sent is copied first, so that a page, the difference and what is remembered agree while the guest writes. Used by the loop only; nothing is allocated per
 * page.
 */
final class SentPages {
    /** What {@link #send} made of a page. */
    enum Sent {
        PAGE,
        DIFFERENCE,
        /** The receiver has it as it is. */
        NOTHING
    }

    /** Parameter xbzrle-cache-size, bytes ({@code spec/qmp.md §6}). */
    static final int DEFAULT_BYTES = 64 << 20;

    private static final int CHUNK_PAGES = 256;
    /** A difference that is hardly shorter than the page is not worth its making at the other end; and its record is not longer than the page's. */
    private static final int MOST = Pages.SIZE - 64;

    private final long[] firstPage;
    /** Number of the page that has the place, plus 1. */
    private final long[] holders;

    private final @Nullable ByteBuffer[] chunks;
    private final ByteBuffer now = ByteBuffer.allocate(Pages.SIZE);
    private final ByteBuffer difference = ByteBuffer.allocate(Pages.SIZE);

    SentPages(BlockTable blocks, int bytes) {
        firstPage = new long[blocks.size()];
        for (int block = 1; block < firstPage.length; block++) {
            firstPage[block] = firstPage[block - 1] + blocks.get(block - 1).pages();
        }
        holders = new long[(int) Math.min(bytes >>> Pages.SHIFT, blocks.totalPages())];
        chunks = new ByteBuffer[(holders.length + CHUNK_PAGES - 1) / CHUNK_PAGES];
    }

    /** Appends the page's record, or that of its difference, or nothing; needs {@link RecordEncoder#MAX_RECORD} bytes of room. */
    Sent send(PageSource memory, RecordEncoder records, ByteBuffer out, int block, long page) {
        memory.read(block, page, now.clear());
        long number = firstPage[block] + page;
        int place = (int) (number % holders.length);
        ByteBuffer chunk = chunk(place);
        int at = place % CHUNK_PAGES << Pages.SHIFT;
        if (holders[place] == number + 1) {
            int length = Xbzrle.encode(chunk, at, now, 0, difference.clear(), MOST);
            if (length == Xbzrle.SAME) {
                return Sent.NOTHING;
            }
            if (length > 0) {
                chunk.put(at, now, 0, Pages.SIZE);
                records.xbzrle(out, block, page, length);
                append(difference, length, out);
                return Sent.DIFFERENCE;
            }
        }
        holders[place] = number + 1;
        chunk.put(at, now, 0, Pages.SIZE);
        records.header(out, block, page);
        append(now, Pages.SIZE, out);
        return Sent.PAGE;
    }

    /** The page was sent otherwise. */
    void forget(int block, long page) {
        long number = firstPage[block] + page;
        int place = (int) (number % holders.length);
        if (holders[place] == number + 1) {
            holders[place] = 0;
        }
    }

    private static void append(ByteBuffer from, int length, ByteBuffer out) {
        out.put(out.position(), from, 0, length).position(out.position() + length);
    }

    private ByteBuffer chunk(int place) {
        int index = place / CHUNK_PAGES;
        ByteBuffer chunk = chunks[index];
        if (chunk == null) {
            int pages = Math.min(CHUNK_PAGES, holders.length - index * CHUNK_PAGES);
            chunks[index] = chunk = ByteBuffer.allocate(pages << Pages.SHIFT);
        }
        return chunk;
    }
}
