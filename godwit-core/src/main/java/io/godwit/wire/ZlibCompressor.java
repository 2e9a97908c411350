// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.zip.Deflater;

/** One zlib stream with its header for the whole channel, {@code spec/multifd.md §4}. */
final class ZlibCompressor implements PageCompressor {
    private final Deflater deflater;

    ZlibCompressor(int level) {
        deflater = new Deflater(level);
    }

    @Override
    public void compress(ByteBuffer in, ByteBuffer out) {
        deflater.setInput(in);
        deflater.deflate(out, Deflater.SYNC_FLUSH);
        // A flush is complete only if it leaves room.
        if (in.hasRemaining() || !out.hasRemaining()) {
            throw new IllegalArgumentException("no room for the compressed pages");
        }
    }

    @Override
    public void close() {
        deflater.end();
    }
}
