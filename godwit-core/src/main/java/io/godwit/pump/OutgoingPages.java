// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.Pages;
import io.godwit.protocol.PageScheduler;
import io.godwit.wire.RecordEncoder;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The way of a page from memory to its record, the counterpart of {@link IncomingPages}. Used by the loop only; nothing is allocated per page. */
final class OutgoingPages {
    private final PageSource memory;
    private final SourceStats stats;
    private final boolean detect;
    private @Nullable SentPages sent;

    /** @param detect whether pages that are all zero are looked for */
    OutgoingPages(PageSource memory, SourceStats stats, boolean detect) {
        this.detect = detect;
        this.memory = memory;
        this.stats = stats;
    }

    /** From here on a page that was sent before may go as its difference. */
    void beginDifferences() {
        sent = new SentPages(memory.blocks(), SentPages.DEFAULT_BYTES);
    }

    /** From here on pages go whole. */
    void endDifferences() {
        sent = null;
    }

    /** Appends the record of a page, or nothing if the destination has it as it is. */
    void record(RecordEncoder records, ByteBuffer out, long address) {
        int block = PageScheduler.block(address);
        long page = PageScheduler.page(address);
        SentPages before = sent;
        if (detect && memory.isZero(block, page)) {
            records.zero(out, block, page);
            stats.zeroPages++;
            if (before != null) {
                before.forget(block, page);
            }
        } else if (before == null) {
            records.header(out, block, page);
            memory.read(block, page, out);
            stats.normalPages++;
        } else {
            int start = out.position();
            switch (before.send(memory, records, out, block, page)) {
                case PAGE -> stats.normalPages++;
                case DIFFERENCE -> {
                    stats.differences++;
                    stats.differenceBytes += out.position() - start;
                }
                case NOTHING -> stats.unchangedPages++;
            }
        }
    }

    /**
     * Appends the records of a page and of those behind it that are at hand with it, a much shorter way than one by one.
     *
     * @param out room in that outbox
     * @param most of them, at least 1
     * @return how many; 0 if this page is to be asked for by itself
     */
    int together(RecordEncoder records, Outbox outbox, ByteBuffer out, long address, int most) {
        if (sent != null) {
            return 0;
        }
        int block = PageScheduler.block(address);
        long first = PageScheduler.page(address);
        int count = memory.atHand(block, first, most);
        if (count > 0) {
            records.header(out, block, first);
            Loan loan = memory.lend(block, first, count, Loan.GAP);
            if (loan == null) {
                copies(records, out, block, first, count);
            } else {
                records.headers(loan.bytes(), loan.bytes().position() + Pages.SIZE, first + 1, count - 1);
                outbox.lend(loan);
            }
            stats.normalPages += count;
        }
        return count;
    }

    private void copies(RecordEncoder records, ByteBuffer out, int block, long first, int count) {
        memory.read(block, first, 1, out, 0);
        if (count > 1) {
            int at = out.position();
            memory.read(block, first + 1, count - 1, out, Loan.GAP);
            records.headers(out, at, first + 1, count - 1);
        }
    }
}
