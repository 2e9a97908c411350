// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReturnPathWriterTest {
    /** A terabyte has a bitmap of 32 MiB: it leaves in pieces, and is whole at the other end. */
    @Test
    void aBitmapLongerThanAChunkLeavesInPieces() throws WireException {
        long pages = 3L * 8 * Outbox.CHUNK + 77;
        BlockTable large = new BlockTable(List.of(BlockInfo.of("large", pages * Pages.SIZE)));
        PageBitmap bitmap = new PageBitmap(pages);
        for (long page = 0; page < pages; page += 1 + page % 61) {
            bitmap.set(page);
        }
        ReturnPathWriter writer = new ReturnPathWriter(large);
        writer.received(0, bitmap);
        Outbox out = writer.outbox();
        assertThat(writer.backlogged()).as("it is no more than may wait").isFalse();
        ByteBuffer all = ByteBuffer.allocate((int) out.pending());
        for (ByteBuffer head = out.head(); head != null; head = out.head()) {
            int n = head.remaining();
            all.put(head);
            out.advance(n);
        }
        ReturnPathMessage message = new ReturnPathDecoder(large).next(all.flip());
        assertThat(message).isEqualTo(new ReturnPathMessage.RecvBitmap(0, bitmap));
    }
}
