// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import java.nio.ByteBuffer;

/** What a destination says on the return path of its present main channel. Used by the loop only. */
final class ReturnPathWriter {
    /** More than all bitmaps and this many bytes of answers waiting to be read: a peer that asks and never reads. */
    private static final long BACKLOG = 1 << 20;

    private BlockTable blocks;
    private ReturnPathEncoder encoder;
    private Outbox outbox = new Outbox();
    private int lastRequestedBlock = -1;

    ReturnPathWriter(BlockTable blocks) {
        this.blocks = blocks;
        this.encoder = new ReturnPathEncoder(blocks);
    }

    /** The blocks are known now. */
    void use(BlockTable table) {
        blocks = table;
        encoder = new ReturnPathEncoder(table);
    }

    Outbox outbox() {
        return outbox;
    }

    /** Begins anew for another connection, on which no block was named yet; the former one's rest belongs to whoever asked for it. */
    void renew() {
        outbox = new Outbox();
        lastRequestedBlock = -1;
    }

    void reply(ReturnPathMessage message) {
        int size = encoder.size(message);
        ByteBuffer out = outbox.room(size);
        encoder.write(message, out);
        outbox.appended(size);
    }

    /** Asks for one page. */
    void request(int block, long page) {
        long offset = page << Pages.SHIFT;
        reply(
                block == lastRequestedBlock
                        ? new ReturnPathMessage.ReqPages(offset, Pages.SIZE)
                        : new ReturnPathMessage.ReqPagesId(blocks.get(block).name(), offset, Pages.SIZE));
        lastRequestedBlock = block;
    }

    /** Says what is received of the block; the bitmap is taken as it is now. */
    void received(int block, PageBitmap bitmap) {
        ReturnPathEncoder.BitmapWriter writer = encoder.bitmap(new ReturnPathMessage.RecvBitmap(block, bitmap.copy()));
        boolean more = true;
        while (more) {
            ByteBuffer out = outbox.room(ReturnPathDecoder.MIN_BUFFER);
            int start = out.position();
            more = !writer.write(out);
            outbox.appended(out.position() - start);
        }
    }

    /** Whether more waits than any peer that reads could leave. */
    boolean backlogged() {
        return outbox.pending() > BACKLOG + blocks.totalPages() / 8 + 64L * blocks.size();
    }
}
