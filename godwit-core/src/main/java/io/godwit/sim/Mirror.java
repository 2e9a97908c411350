// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.PageSink;
import io.godwit.pump.StorageException;
import java.nio.ByteBuffer;

/** A store's sink whose pages are noted down beside it, so that what it has can be looked at after every event without reading its files. */
final class Mirror implements PageSink {
    private final PageSink store;
    private final SimMemory notes;

    Mirror(PageSink store, SimMemory notes) {
        this.store = store;
        this.notes = notes;
    }

    PageSink store() {
        return store;
    }

    @Override
    public BlockTable blocks() {
        return store.blocks();
    }

    @Override
    public PageBitmap received(int block) {
        return store.received(block);
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        unlessFails(block, page, () -> store.store(block, page, in, position));
        notes.store(block, page, in, position);
    }

    /** Those that were stored before it failed are received, and no others of them. */
    @Override
    public void store(int block, long first, int count, ByteBuffer in, int position, int stride) {
        try {
            store.store(block, first, count, in, position, stride);
        } finally {
            for (int i = 0; i < count; i++) {
                if (store.received(block).get(first + i)) {
                    notes.store(block, first + i, in, position + i * stride);
                } else {
                    notes.discard(block, first + i, 1);
                }
            }
        }
    }

    @Override
    public void storeZero(int block, long page) {
        unlessFails(block, page, () -> store.storeZero(block, page));
        notes.storeZero(block, page);
    }

    /** A page that could not be stored is not received any more. */
    private void unlessFails(int block, long page, Runnable storing) {
        try {
            storing.run();
        } catch (StorageException e) {
            notes.discard(block, page, 1);
            throw e;
        }
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        store.read(block, page, out);
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        store.discard(block, firstPage, count);
        notes.discard(block, firstPage, count);
    }

    @Override
    public void beginPostcopy() {
        store.beginPostcopy();
        if (!notes.postcopy()) {
            notes.beginPostcopy();
        }
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        return agreed(block, page, store.place(block, page, in, position), notes.place(block, page, in, position));
    }

    @Override
    public boolean placeZero(int block, long page) {
        return agreed(block, page, store.placeZero(block, page), notes.placeZero(block, page));
    }

    private boolean agreed(int block, long page, boolean stored, boolean noted) {
        if (stored != noted) {
            throw new Violation("the store says that " + notes.name(notes.number(block, page)) + " was "
                    + (stored ? "not received yet, but it was" : "received before, but it was not"));
        }
        return stored;
    }

    @Override
    public void reset() {
        store.reset();
        notes.reset();
    }
}
