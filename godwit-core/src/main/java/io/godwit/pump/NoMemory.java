// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.nio.ByteBuffer;
import java.util.List;

/** A destination's memory before the first block list: there is none, and nothing asks for a page of it. */
final class NoMemory implements PageSink {
    private final BlockTable none = new BlockTable(List.of());

    @Override
    public BlockTable blocks() {
        return none;
    }

    @Override
    public PageBitmap received(int block) {
        throw unknown();
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        throw unknown();
    }

    @Override
    public void storeZero(int block, long page) {
        throw unknown();
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        throw unknown();
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        throw unknown();
    }

    @Override
    public void beginPostcopy() {
        throw unknown();
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        throw unknown();
    }

    @Override
    public boolean placeZero(int block, long page) {
        throw unknown();
    }

    @Override
    public void reset() {}

    private static IllegalStateException unknown() {
        return new IllegalStateException("a page before the block list");
    }
}
