// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.EncodedPage;
import io.godwit.wire.MultifdPage;
import io.godwit.wire.PageInflater;
import io.godwit.wire.PageRecord;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import io.godwit.wire.Xbzrle;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The way of a page from its record to its place, and the count of those that lack. Used by the loop only; nothing is allocated per page. */
final class IncomingPages {
    private static final PageSink NOWHERE = new NoMemory();

    private final DestinationStats stats;
    private final ByteBuffer made = ByteBuffer.allocate(Pages.SIZE);
    private @Nullable PageInflater inflater;
    private PageSink memory = NOWHERE;
    private BlockTable blocks = NOWHERE.blocks();
    private int[] peerBlocks = new int[0];
    private long missing;

    IncomingPages(DestinationStats stats) {
        this.stats = stats;
    }

    PageSink memory() {
        return memory;
    }

    /** Empty as long as it is not known. */
    BlockTable blocks() {
        return blocks;
    }

    /** Our memory is known. */
    void use(PageSink ours) {
        memory = ours;
        blocks = ours.blocks();
    }

    /** Pages not received yet; counted from {@link #beginPostcopy} on. */
    long missing() {
        return missing;
    }

    /** The source's block list against ours: the same names and lengths, in any order; a sentence if it does not fit, else null. */
    @Nullable
    String adopt(List<BlockInfo> theirs) {
        peerBlocks = new int[theirs.size()];
        for (int i = 0; i < peerBlocks.length; i++) {
            BlockInfo block = theirs.get(i);
            int ours = blocks.indexOf(block.name());
            if (ours < 0) {
                return "the source has a RAM block '" + block.name() + "', which does not exist here";
            }
            if (blocks.get(ours).usedLength() != block.usedLength()) {
                return "RAM block '" + block.name() + "' has " + block.usedLength() + " bytes at the source and "
                        + blocks.get(ours).usedLength() + " here: start both with the same memory size";
            }
            peerBlocks[i] = ours;
        }
        if (peerBlocks.length != blocks.size()) {
            return "the source has " + peerBlocks.length + " RAM blocks, there are " + blocks.size() + " here";
        }
        return null;
    }

    /**
     * Precopy: the later one wins.
     *
     * @param more pages that follow it, see {@link io.godwit.wire.StreamDecoder#following}
     */
    void store(PageRecord record, ByteBuffer in, int more) {
        int block = peerBlocks[record.block()];
        if (record.zero()) {
            memory.storeZero(block, record.page());
            stats.zeroPages++;
        } else {
            memory.store(block, record.page(), 1 + more, in, record.dataPosition(), PageRecord.STRIDE);
            stats.normalPages += 1 + more;
        }
    }

    /**
     * Precopy, from a channel whose decoder has our blocks.
     *
     * @param more pages that follow it, see {@link io.godwit.wire.MultifdDecoder#following}
     */
    void store(MultifdPage page, int more) {
        if (page.zero()) {
            memory.storeZero(page.block(), page.page());
            stats.zeroPages++;
        } else {
            memory.store(page.block(), page.page(), 1 + more, page.buffer(), page.dataPosition(), Pages.SIZE);
            stats.normalPages += 1 + more;
        }
    }

    /**
     * Precopy: as {@link #store(PageRecord, ByteBuffer, int)}, of a page that is to be made first; what was there before is untouched if that fails.
     *
     * @throws WireException if what came is none, or is the difference to a page that never came
     */
    void store(EncodedPage record) throws WireException {
        int block = peerBlocks[record.block()];
        made.clear();
        switch (record.encoding()) {
            case XBZRLE -> {
                if (!memory.received(block).get(record.page())) {
                    throw record.error(0, "xbzrle: a difference to what never came");
                }
                memory.read(block, record.page(), made);
                Xbzrle.apply(record, made, 0);
            }
            case ZLIB -> {
                PageInflater zlib = inflater;
                if (zlib == null) {
                    inflater = zlib = new PageInflater();
                }
                zlib.inflate(record, made);
            }
        }
        memory.store(block, record.page(), made, 0);
        stats.normalPages++;
    }

    /** The channel is gone: frees what was held for it. */
    void release() {
        if (inflater != null) {
            inflater.close();
            inflater = null;
        }
    }

    /**
     * Postcopy: a present page is left alone.
     *
     * @return true if this was the last missing page
     */
    boolean place(PageRecord record, ByteBuffer in) {
        int block = peerBlocks[record.block()];
        boolean fresh = record.zero()
                ? memory.placeZero(block, record.page())
                : memory.place(block, record.page(), in, record.dataPosition());
        if (!fresh) {
            stats.duplicates++;
            return false;
        }
        if (record.zero()) {
            stats.zeroPages++;
        } else {
            stats.normalPages++;
        }
        return --missing == 0;
    }

    void discard(StreamMessage.RamDiscard discard) {
        int block = blocks.indexOf(discard.block());
        for (StreamMessage.Range range : discard.ranges()) {
            memory.discard(block, range.start() >>> Pages.SHIFT, range.length() >>> Pages.SHIFT);
        }
    }

    void beginPostcopy() {
        memory.beginPostcopy();
        recount();
    }

    /** After the memory's received pages have changed by other ways than {@link #place}. */
    void recount() {
        missing = countMissing();
    }

    long countMissing() {
        long present = 0;
        for (int block = 0; block < blocks.size(); block++) {
            present += memory.received(block).cardinality();
        }
        return blocks.totalPages() - present;
    }
}
