// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;

/** A parked VM's pages. Nothing is ever dirty. One thread. */
public final class StoreSource implements PageSource, AutoCloseable {
    private final BlockFiles files;
    private final Presence presence;
    private final PageReader reader;

    StoreSource(BlockFiles files, Presence presence) {
        this.files = files;
        this.presence = presence;
        this.reader = new PageReader(files);
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

    /**
     * Reads ahead when pages are asked for in order.
     *
     * @throws DamagedPageException if the bytes do not match their digest; nothing was appended
     */
    @Override
    public void read(int block, long page, ByteBuffer out) {
        if (presence.zero(block).get(page)) {
            RunBuffer.putZeroes(out);
            return;
        }
        int at = reader.find(block, page);
        out.put(out.position(), reader.buffer(), at, Pages.SIZE).position(out.position() + Pages.SIZE);
    }

    /** As {@link #read}, without giving the page. */
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
