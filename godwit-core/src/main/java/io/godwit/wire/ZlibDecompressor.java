// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** One zlib stream with its header for the whole channel, {@code spec/multifd.md §4}. */
final class ZlibDecompressor implements PageDecompressor {
    private final Inflater inflater = new Inflater();

    @Override
    public void decompress(ByteBuffer in, ByteBuffer out) throws DataFormatException {
        inflater.setInput(in);
        while (out.hasRemaining()) {
            if (inflater.inflate(out) > 0) {
                continue;
            }
            if (inflater.finished()) {
                throw new DataFormatException("its stream has ended");
            }
            if (inflater.needsDictionary()) {
                throw new DataFormatException("its stream needs a dictionary");
            }
            return;
        }
    }

    @Override
    public void close() {
        inflater.end();
    }
}
