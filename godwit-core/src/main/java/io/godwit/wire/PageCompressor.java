// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;

/** The compressed stream of one multifd channel, in the making. Holds native memory until closed. One thread. */
sealed interface PageCompressor extends AutoCloseable permits ZlibCompressor, ZstdCompressor {
    /**
     * Compresses all of {@code in} and flushes, so that the peer can decompress it without what comes later.
     *
     * @param in direct
     * @param out direct, with room for {@code in} and {@link #OVERHEAD}
     */
    void compress(ByteBuffer in, ByteBuffer out);

    /** Most bytes by which a full packet of pages that do not compress can grow: zlib's level 0 takes 20 KiB, zstd 2 KiB. */
    int OVERHEAD = 32 << 10;

    @Override
    void close();
}
