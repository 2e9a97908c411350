// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/** The digest of a page: XXH64 with its block and index as seed, so that a good page in another page's place is noticed, too. */
final class PageDigest {
    /** Bytes of a digest in its file. */
    static final int BYTES = Long.BYTES;

    private static final int BLOCK_SHIFT = 40;

    private PageDigest() {}

    /** @param bytes direct, in little-endian order */
    static long of(ByteBuffer bytes, int offset, int block, long page) {
        return XxHash64.stripes(bytes, offset, Pages.SIZE, (long) block << BLOCK_SHIFT | page);
    }
}
