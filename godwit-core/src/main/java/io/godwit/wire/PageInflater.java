// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;
import io.godwit.wire.EncodedPage.Encoding;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Makes pages of COMPRESS_PAGE records, {@code spec/stream.md §7}: each is a zlib stream of its own (RFC 1950) of exactly one page. One per channel, used by
 * one thread; nothing is allocated per page, and no more than a page is ever inflated. {@link #close} frees memory outside of the heap.
 */
public final class PageInflater implements AutoCloseable {
    private final Inflater inflater = new Inflater();
    private final byte[] beyond = new byte[1];

    public PageInflater() {}

    /**
     * Appends the page to {@code out}.
     *
     * @param record one that was just decoded
     * @param out has {@link Pages#SIZE} bytes of room; after an error they are undefined
     * @throws WireException if it is no zlib stream, or not of exactly one page, or something follows it
     */
    public void inflate(EncodedPage record, ByteBuffer out) throws WireException {
        if (record.encoding() != Encoding.ZLIB) {
            throw new IllegalArgumentException(record + " is no zlib stream");
        }
        ByteBuffer in = record.input();
        int position = in.position();
        int limit = in.limit();
        int outLimit = out.limit();
        int start = out.position();
        int left = 0;
        inflater.reset();
        try {
            // The inflater takes what lies between position and limit: a view would be an object per page.
            in.limit(record.dataPosition() + record.dataLength()).position(record.dataPosition());
            out.limit(start + Pages.SIZE);
            inflater.setInput(in);
            inflater.inflate(out);
            // What is left is the checksum, or one byte too many.
            if (!out.hasRemaining() && inflater.inflate(beyond) > 0) {
                throw record.error(0, "compress: the zlib stream holds more than a page");
            }
        } catch (DataFormatException e) {
            throw record.error(0, "compress: no zlib stream: " + e.getMessage());
        } finally {
            left = in.remaining();
            in.limit(limit).position(position);
            out.limit(outLimit);
        }
        check(record, out.position() - start, left);
    }

    private void check(EncodedPage record, int bytes, int left) throws WireException {
        if (inflater.needsDictionary()) {
            throw record.error(0, "compress: the zlib stream needs a dictionary");
        }
        if (!inflater.finished()) {
            throw record.error(
                    record.dataLength(), "compress: the zlib stream is cut off after " + bytes + " bytes of its page");
        }
        if (bytes < Pages.SIZE) {
            throw record.error(0, "compress: the zlib stream holds " + bytes + " bytes, not a page");
        }
        if (left > 0) {
            throw record.error(
                    record.dataLength() - left, "compress: " + left + " bytes follow the zlib stream of a page");
        }
    }

    @Override
    public void close() {
        inflater.end();
    }
}
