// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.Loan;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A parked VM's pages. Nothing is ever dirty. One thread. */
public final class StoreSource implements PageSource, AutoCloseable {
    /** Has something read on another thread. */
    public interface Elsewhere {
        /**
         * Called by the source's thread; so is {@code done} or {@code failed}, later.
         *
         * @param work throws {@link StoreException} if the disk fails; one after the other, in the order in which they are asked for
         */
        void read(Runnable work, Runnable done, Runnable failed);
    }

    private final BlockFiles files;
    private final Presence presence;
    private PageReader reader;

    StoreSource(BlockFiles files, Presence presence) {
        this.files = files;
        this.presence = presence;
        this.reader = new PageReader(files, presence);
    }

    /** From now on what lies ahead is read elsewhere, so that {@link #ready} may be false. */
    public void readElsewhere(Elsewhere elsewhere, ReadAhead reach) {
        reader = new PageReader(files, presence, elsewhere, reach);
    }

    @Override
    public BlockTable blocks() {
        return files.table();
    }

    /** Does nothing: a parked VM writes nothing. */
    @Override
    public void trackDirty(boolean on) {}

    @Override
    public long harvestDirty(int block, PageBitmap dirty) {
        return 0;
    }

    /** From the zero map, without reading. */
    @Override
    public boolean isZero(int block, long page) {
        return presence.zero(block).get(page);
    }

    /** Pages of the block that are not zero. */
    public long dataPages(int block) {
        return presence.dataPages(block);
    }

    @Override
    public boolean ready(int block, long page) {
        return presence.zero(block).get(page) || reader.ready(block, page);
    }

    /**
     * Reads ahead when pages are asked for in order.
     *
     * @throws DamagedPageException if the bytes do not match their digest; nothing was appended
     */
    @Override
    public void read(int block, long page, ByteBuffer out) {
        if (presence.zero(block).get(page)) {
            PageBatch.putZeroes(out);
            return;
        }
        reader.find(block, page).copy(page, out);
    }

    @Override
    public int atHand(int block, long first, int most) {
        return reader.atHand(block, first, most);
    }

    @Override
    public void read(int block, long first, int count, ByteBuffer out, int gap) {
        PageRun run = reader.find(block, first);
        for (int i = 0; i < count; i++) {
            run.copy(first + i, out.position(out.position() + gap));
        }
    }

    @Override
    public @Nullable Loan lend(int block, long first, int count, int gap) {
        return reader.lend(block, first, count, gap);
    }

    /** As {@link #read(int, long, ByteBuffer)}, without giving the page. */
    void check(int block, long page) {
        reader.find(block, page);
    }

    /**
     * Next page at or after {@code page} that is not zero, or -1.
     */
    long nextData(int block, long page) {
        return presence.zero(block).nextClear(page);
    }

    @Override
    public void close() {
        try {
            files.close();
        } catch (DiskException e) {
            throw Failures.of(e);
        }
    }
}
