// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.Pages;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;

/** A section of "ram" on the main channel that is being made. One at a time; used by the loop only. */
final class OpenSection {
    private static final int OVERHEAD = 5 + 8 + 5;

    private final StreamMessage part;
    private final StreamMessage footer;
    private final SourceOutlets outlets;
    private final RecordEncoder records;
    private int start;
    private long before;

    /** @param ramId the section id of "ram" */
    OpenSection(int ramId, SourceOutlets outlets, RecordEncoder records) {
        this.part = new StreamMessage.SectionPart(ramId);
        this.footer = new StreamMessage.Footer(ramId);
        this.outlets = outlets;
        this.records = records;
    }

    /** Begins one with room for so many pages; where their records are written. */
    ByteBuffer begin(int pages) {
        Outbox main = outlets.main();
        ByteBuffer out = main.room(OVERHEAD + RecordEncoder.MAX_RECORD + pages * (Pages.SIZE + 8));
        start = out.position();
        before = main.total();
        StreamEncoder.write(part, out);
        return out;
    }

    /** Ends it; its bytes, with those that were lent. */
    int end(ByteBuffer out) {
        records.endOfRecords(out);
        StreamEncoder.write(footer, out);
        outlets.main().appended(out.position() - start);
        return (int) (outlets.main().total() - before);
    }
}
