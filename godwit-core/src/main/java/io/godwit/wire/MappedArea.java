// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;

/**
 * Where a RAM block lies in a mapped-ram file, {@code spec/mapped-ram.md §2, §3}; the stream goes on behind its pages:
 *
 * <pre>
 *    0  u32 version, 1
 *    4  u64 page size, 4096
 *   12  u64 position of the bitmap
 *   20  u64 position of the pages
 *       bitmap: 8 bytes little-endian for each 64 pages, page p at bit p%64 of word p/64; 1 = stored, 0 = all zero
 *       nothing, up to
 *       pages: page p at 4096 * p
 * </pre>
 *
 * @param bitmap position of the bitmap in the file, bytes
 * @param pages position of page 0 in the file, bytes, a multiple of the page size
 */
public record MappedArea(long bitmap, long pages) {
    /** Bytes of the header. */
    static final int HEADER = 28;

    static final int VERSION = 1;
    /** What QEMU aligns the pages to, so that they can be written past the page cache. */
    static final long ALIGNMENT = 1 << 20;
    /** No position lies behind this: sums of positions and lengths never overflow. */
    static final long MOST = 1L << 60;

    /** Bytes of the bitmap of so many pages. */
    static long bitmapBytes(long pages) {
        return (pages + 63) / 64 * Long.BYTES;
    }

    /** Where QEMU puts the parts of a block whose header ends at {@code position}. */
    static MappedArea plan(long position, long pages) {
        long end = position + bitmapBytes(pages);
        return new MappedArea(position, (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    /** Position of the page in the file. */
    public long position(long page) {
        return pages + (page << Pages.SHIFT);
    }
}
