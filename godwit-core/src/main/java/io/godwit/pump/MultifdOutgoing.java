// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.Wire;
import io.godwit.protocol.ZeroPageDetection;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdDialect;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A source's multifd channels in precopy, {@code spec/multifd.md}, and what they want on the main channel. Packets go round robin to channels that have room. A page goes memory → packet, or is lent to it,
 * with a compression memory → the compressor's input; nothing is allocated per page. A channel whose connection is not there yet is filled all the same: so much as it may hold.
 *
 * <p>Used by the loop only.
 */
final class MultifdOutgoing {
    /** Pages looked at in one call: the loop must come back to its events, and a compressor is slow. */
    private static final int STINT = 1024;

    private static final int PACKED_STINT = MultifdEncoder.MAX_PAGES;
    /** Bytes that may wait in a channel's outbox for another packet to be added. */
    private static final long BACKLOG = MultifdEncoder.MAX_PACKET / 2;
    /** Bytes of one section of zero pages on the main channel; a stint's worth and more. */
    private static final int SECTION = 32 * 1024;

    private static final int SECTION_END = 8 + 8 + 5;
    /** A word, and the block's name. */
    private static final int ZERO_RECORD = 8 + 1 + 255;

    private final MultifdParameters parameters;
    private final BlockTable blocks;
    private final PageSource memory;
    private final PageScheduler scheduler;
    private final SourceStats stats;
    private final MultifdDialect dialect;
    private final boolean detect;
    private final boolean lends;
    private final boolean zeroPagesInPackets;
    private final UUID uuid;
    private final int attempt;
    private final StreamMessage part;
    private final StreamMessage footer;
    private final RecordEncoder zeroRecords;
    private final Outbox[] outboxes;
    private final @Nullable MultifdEncoder[] encoders;
    private long number;
    private int next;
    private int open = -1;
    private int openBlock;
    private int openStart;
    private long openTotal;
    private @Nullable ByteBuffer packet;
    private @Nullable ByteBuffer section;
    private int sectionStart;
    /** Pages have gone out since the last sync point. */
    private boolean unsynced;

    MultifdOutgoing(
            MultifdParameters parameters,
            MigrationOptions options,
            OutgoingGuest guest,
            PageScheduler scheduler,
            SourceStats stats) {
        this.parameters = parameters;
        this.memory = guest.memory();
        this.blocks = memory.blocks();
        this.scheduler = scheduler;
        this.stats = stats;
        StreamMessage.Configuration configuration = guest.identity().configuration();
        this.dialect = MultifdDialect.ofMachine(configuration.machine());
        this.detect = options.zeroPages() != ZeroPageDetection.NONE;
        this.lends = parameters.compression() == MultifdCompression.NONE;
        this.zeroPagesInPackets = dialect.zeroPagesInPackets() && options.zeroPages() == ZeroPageDetection.MULTIFD;
        UUID own = parameters.uuid() == null ? configuration.uuid() : parameters.uuid();
        this.uuid = own == null ? MultifdMessage.Init.NO_UUID : own;
        this.attempt = Wire.keepAlive(options.nonce());
        int ram = guest.identity().ramSectionId();
        this.part = new StreamMessage.SectionPart(ram);
        this.footer = new StreamMessage.Footer(ram);
        this.zeroRecords = new RecordEncoder(blocks);
        this.outboxes = new Outbox[parameters.channels()];
        this.encoders = new MultifdEncoder[outboxes.length];
        for (int i = 0; i < outboxes.length; i++) {
            outboxes[i] = new Outbox(MultifdEncoder.MAX_PACKET);
        }
    }

    int channels() {
        return outboxes.length;
    }

    Outbox outbox(int channel) {
        return outboxes[channel];
    }

    /** Hands the outbox over to whoever writes out the rest. */
    Outbox take(int channel) {
        Outbox taken = outboxes[channel];
        outboxes[channel] = new Outbox(MultifdEncoder.MAX_PACKET);
        return taken;
    }

    /** Each channel begins. */
    void begin() {
        reset();
        for (int i = 0; i < outboxes.length; i++) {
            encoders[i] = new MultifdEncoder(blocks, parameters.compression(), parameters.level(), zeroPagesInPackets);
            MultifdEncoder.init(new MultifdMessage.Init(uuid, i, attempt), outboxes[i].room(MultifdEncoder.INIT_SIZE));
            outboxes[i].appended(MultifdEncoder.INIT_SIZE);
        }
    }

    /** Nothing more will be said: what was not written is forgotten, and what the compressors hold is freed. */
    void reset() {
        number = 0;
        next = 0;
        open = -1;
        packet = null;
        section = null;
        unsynced = false;
        zeroRecords.reset();
        for (int i = 0; i < outboxes.length; i++) {
            outboxes[i].reset();
            MultifdEncoder encoder = encoders[i];
            if (encoder != null) {
                encoder.close();
                encoders[i] = null;
            }
        }
    }

    /** Bytes that are appended and not handed to the kernel yet: those of the channel that has most. */
    long pending() {
        long most = 0;
        for (Outbox outbox : outboxes) {
            most = Math.max(most, outbox.pending());
        }
        return most;
    }

    /** Whether no channel has room for another packet. */
    boolean full() {
        return idle() < 0;
    }

    /** Most pages that {@link #fill} is to be asked for before other events have their turn. */
    int stint() {
        return parameters.compression() == MultifdCompression.NONE ? STINT : PACKED_STINT;
    }

    /**
     * Sends pages, at most so many.
     *
     * @param ready whether there is a next background page, and it can be read at once
     * @return bytes appended to all channels, main included
     * @throws StorageException if a page cannot be read; then nothing more may be sent on these connections
     */
    long fill(long most, BooleanSupplier ready, Outbox main) {
        long before = appended(main);
        for (long taken = 0; taken < most && hasRoom() && ready.getAsBoolean(); ) {
            int count = together((int) (most - taken));
            if (count == 0) {
                page(scheduler.takeBackground(), main);
                count = 1;
            }
            taken += count;
        }
        endPacket();
        endSection(main);
        return appended(main) - before;
    }

    private boolean hasRoom() {
        ByteBuffer current = section;
        return (open >= 0 || idle() >= 0) && (current == null || current.remaining() >= ZERO_RECORD + SECTION_END);
    }

    /** Sends the next page and those behind it that are at hand with it; how many, or 0: it is to be asked for by itself. */
    private int together(int most) {
        long address = scheduler.nextBackground();
        int block = PageScheduler.block(address);
        long first = PageScheduler.page(address);
        boolean same = open >= 0 && openBlock == block;
        int room = MultifdEncoder.MAX_PAGES - (same ? encoder(open).pages() : 0);
        int count = memory.atHand(block, first, scheduler.backgroundRun(Math.min(most, room)));
        if (count > 0) {
            scheduler.takeBackground(count);
            unsynced = true;
            if (!same) {
                endPacket();
            }
            MultifdEncoder encoder = packet(block);
            @Nullable Loan loan = lends ? memory.lend(block, first, count, 0) : null;
            if (loan == null) {
                memory.read(block, first, count, encoder.pages(first, count), 0);
            } else {
                encoder.pagesElsewhere(first, count);
                outboxes[open].lend(loan);
            }
            stats.normalPages += count;
            endIfFull(encoder);
        }
        return count;
    }

    private void endIfFull(MultifdEncoder encoder) {
        if (encoder.pages() == MultifdEncoder.MAX_PAGES) {
            endPacket();
        }
    }

    private void page(long address, Outbox main) {
        int block = PageScheduler.block(address);
        long page = PageScheduler.page(address);
        try {
            boolean zero = detect && memory.isZero(block, page);
            unsynced = true;
            if (zero && !zeroPagesInPackets) {
                zeroRecords.zero(section(main), block, page);
                stats.zeroPages++;
                return;
            }
            if (open >= 0 && openBlock != block) {
                endPacket();
            }
            MultifdEncoder encoder = packet(block);
            if (zero) {
                encoder.zero(page);
                stats.zeroPages++;
            } else {
                memory.read(block, page, encoder.page(page));
                stats.normalPages++;
            }
            endIfFull(encoder);
        } catch (StorageException e) {
            scheduler.putBack(address);
            throw e;
        }
    }

    /** The open packet's encoder, for pages of that block. */
    private MultifdEncoder packet(int block) {
        if (open < 0) {
            int channel = idle();
            // A page that was taken has to go somewhere, also where its block ends the packet of the last free channel.
            open = channel < 0 ? next : channel;
            next = (open + 1) % outboxes.length;
            openBlock = block;
            ByteBuffer out = outboxes[open].room(MultifdEncoder.MAX_PACKET);
            openStart = out.position();
            openTotal = outboxes[open].total();
            packet = out;
            encoder(open).begin(out, block);
        }
        return encoder(open);
    }

    private void endPacket() {
        if (open >= 0) {
            ByteBuffer out = Objects.requireNonNull(packet);
            encoder(open).end(number++);
            outboxes[open].appended(out.position() - openStart);
            stats.multifdBytes += outboxes[open].total() - openTotal;
            open = -1;
            packet = null;
        }
    }

    private MultifdEncoder encoder(int channel) {
        return Objects.requireNonNull(encoders[channel]);
    }

    /** The next channel with room for a packet, or -1. */
    private int idle() {
        for (int i = 0; i < outboxes.length; i++) {
            int channel = (next + i) % outboxes.length;
            if (outboxes[channel].pending() < BACKLOG) {
                return channel;
            }
        }
        return -1;
    }

    private ByteBuffer section(Outbox main) {
        ByteBuffer current = section;
        if (current == null) {
            section = current = main.room(SECTION);
            sectionStart = current.position();
            StreamEncoder.write(part, current);
        }
        return current;
    }

    private void endSection(Outbox main) {
        ByteBuffer out = section;
        if (out != null) {
            if (!dialect.flushWord()) {
                // The end of a section is a sync point, whatever was in it.
                syncPoint(out);
            }
            zeroRecords.endOfRecords(out);
            StreamEncoder.write(footer, out);
            main.appended(out.position() - sectionStart);
            section = null;
        }
    }

    /**
     * A sync point: a SYNC on each channel, and on the main channel what stands for it where the section's last word alone does not.
     *
     * @param out in an open section, before its last word
     */
    void syncPoint(ByteBuffer out) {
        for (Outbox outbox : outboxes) {
            MultifdEncoder.sync(outbox.room(MultifdEncoder.SYNC_SIZE), number++);
            outbox.appended(MultifdEncoder.SYNC_SIZE);
            stats.multifdBytes += MultifdEncoder.SYNC_SIZE;
        }
        dialect.endSyncPoint(out);
        unsynced = false;
    }

    /** A pass over the memory is over: none of its pages may come behind one of the next. */
    void endPass(Outbox main) {
        if (unsynced) {
            ByteBuffer out = section(main);
            if (dialect.flushWord()) {
                syncPoint(out);
            }
            endSection(main);
        }
    }

    private long appended(Outbox main) {
        long bytes = main.total();
        for (Outbox outbox : outboxes) {
            bytes += outbox.total();
        }
        return bytes;
    }
}
