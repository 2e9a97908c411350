// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.ZstdCompressCtx;
import java.nio.ByteBuffer;

/** One zstd frame for the whole channel, flushed per packet and never ended, {@code spec/multifd.md §4}. */
final class ZstdCompressor implements PageCompressor {
    private final ZstdCompressCtx context;

    ZstdCompressor(int level) {
        context = new ZstdCompressCtx().setLevel(level);
    }

    @Override
    public void compress(ByteBuffer in, ByteBuffer out) {
        while (!context.compressDirectByteBufferStream(out, in, EndDirective.FLUSH)) {
            if (!out.hasRemaining()) {
                throw new IllegalArgumentException("no room for the compressed pages");
            }
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
