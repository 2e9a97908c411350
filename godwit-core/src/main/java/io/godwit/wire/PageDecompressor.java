// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/** The compressed stream of one multifd channel, packet by packet in their order. Holds native memory until closed. One thread. */
sealed interface PageDecompressor extends AutoCloseable permits ZlibDecompressor, ZstdDecompressor {
    /**
     * Decompresses until {@code in} is used up or {@code out} is full, whatever comes first.
     *
     * @param in direct, the whole data of one packet
     * @param out direct
     * @throws DataFormatException if the data is damaged, or its stream has ended, which a channel's never does
     */
    void decompress(ByteBuffer in, ByteBuffer out) throws DataFormatException;

    @Override
    void close();
}
