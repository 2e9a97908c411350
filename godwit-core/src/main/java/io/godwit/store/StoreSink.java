// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.PageSink;
import java.nio.ByteBuffer;

/**
 * The store's files as a destination's memory. Methods of {@link PageSink} on the migration's loop; {@link VmStore#checkpoint} may run on another thread meanwhile.
 * Disk errors come as {@link StoreException}: the page that was being stored is then not received, pages before it are.
 */
public final class StoreSink implements PageSink {
    @Override
    public BlockTable blocks() {
        throw new UnsupportedOperationException();
    }

    @Override
    public PageBitmap received(int block) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void storeZero(int block, long page) {
        throw new UnsupportedOperationException();
    }

    /** Appends the page's present bytes to {@code out}, zeroes if it was not received: what XBZRLE deltas apply to. Precopy. */
    public void current(int block, long page, ByteBuffer out) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void beginPostcopy() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean placeZero(int block, long page) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void reset() {
        throw new UnsupportedOperationException();
    }

    /** Pages not received. Counts bits. */
    public long missing() {
        throw new UnsupportedOperationException();
    }
}
