// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.Pages;
import io.godwit.wire.PageRecord;
import java.nio.ByteBuffer;

/**
 * Neighbours of a {@link PageSource} that wait to be sent where they are, instead of a copy of them. Used by the loop only.
 *
 * @param bytes from the first page's first byte to the last one's last; between two pages are as many as the borrower has asked for, which are its own to write. What it writes there
 *     depends on the page behind it only: the same pages may be lent twice at a time
 * @param over called once, when nobody looks at the bytes any more
 */
public record Loan(ByteBuffer bytes, Runnable over) {
    /** Bytes before each page but the first in a plain stream: as many as the header of a record takes whose block is that of the record before. */
    public static final int GAP = PageRecord.STRIDE - Pages.SIZE;
}
