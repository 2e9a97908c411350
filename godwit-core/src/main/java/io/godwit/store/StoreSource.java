// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;

/** A parked VM's pages. Nothing is ever dirty. One thread. */
public final class StoreSource implements PageSource, AutoCloseable {
    @Override
    public BlockTable blocks() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void trackDirty(boolean on) {}

    @Override
    public long harvestDirty(int block, PageBitmap dirty) {
        return 0;
    }

    /** From the zero map, without reading. */
    @Override
    public boolean isZero(int block, long page) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads ahead when pages are asked for in order.
     *
     * @throws DamagedPageException if the bytes do not match their digest; nothing was appended
     */
    @Override
    public void read(int block, long page, ByteBuffer out) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
