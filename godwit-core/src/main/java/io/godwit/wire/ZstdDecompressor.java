// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/** One zstd frame for the whole channel, flushed per packet and never ended, {@code spec/multifd.md §4}. */
final class ZstdDecompressor implements PageDecompressor {
    /** log2 of the most memory that a frame may ask for: 32 MiB, what the highest level of QEMU (20) takes. */
    static final int MAX_WINDOW_LOG = 25;

    private final ZstdDecompressCtx context = new ZstdDecompressCtx().setLongMax(MAX_WINDOW_LOG);

    @Override
    public void decompress(ByteBuffer in, ByteBuffer out) throws DataFormatException {
        try {
            int room;
            int left;
            do {
                room = out.remaining();
                left = in.remaining();
                if (context.decompressDirectByteBufferStream(out, in)) {
                    throw new DataFormatException("its frame has ended");
                }
            } while (out.hasRemaining() && (out.remaining() < room || in.remaining() < left));
        } catch (ZstdException e) {
            DataFormatException damaged = new DataFormatException(String.valueOf(e.getMessage()));
            damaged.initCause(e);
            throw damaged;
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
