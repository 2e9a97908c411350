// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.SourceInput.Mark;
import io.godwit.protocol.Wire;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What a source says on the main channel around the pages, in the order of {@code spec/sequences.md §2, §3 and §6}; the pages are {@link SourcePages}'s. Used by the loop only.
 */
final class SourceStreams {
    private final MigrationOptions options;
    private final OutgoingGuest guest;
    private final int ramSection;
    private final StreamMessage footer;
    private final BlockTable blocks;
    private final PageScheduler scheduler;
    private final SourceOutlets outlets;

    SourceStreams(MigrationOptions options, OutgoingGuest guest, PageScheduler scheduler, SourceOutlets outlets) {
        this.options = options;
        this.guest = guest;
        this.ramSection = guest.identity().ramSectionId();
        this.footer = new StreamMessage.Footer(ramSection);
        this.blocks = guest.memory().blocks();
        this.scheduler = scheduler;
        this.outlets = outlets;
    }

    void opening() {
        send(new StreamMessage.Header());
        send(guest.identity().configuration());
        if (options.returnPath()) {
            send(new StreamMessage.OpenReturnPath());
            send(new StreamMessage.Ping(Wire.PING_OPENED));
        }
        if (options.postcopy()) {
            send(new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE));
        }
    }

    void beginPrecopy() {
        outlets.main().append(guest.early());
        send(StreamMessage.SectionStart.ram(ramSection));
        send(StreamMessage.MemSize.of(blocks.list()));
        MultifdOutgoing multifd = outlets.multifd();
        if (multifd != null) {
            multifd.begin();
        }
        syncPoint();
        send(new StreamMessage.EndOfRecords());
        send(footer);
    }

    void keepAlive() {
        send(new StreamMessage.Ping(Wire.keepAlive(options.nonce())));
        outlets.main().mark(Mark.PING);
    }

    void precopyEnd(MachineState state) {
        send(new StreamMessage.SectionEnd(ramSection));
        syncPoint();
        send(new StreamMessage.EndOfRecords());
        send(footer);
        outlets.awaitMultifd();
        outlets.main().append(state.devices());
        send(new StreamMessage.EndOfStream());
        outlets.main().mark(Mark.COMMIT);
        send(new StreamMessage.VmDescription(state.description()));
        outlets.main().mark(Mark.END);
    }

    void switchToPostcopy(MachineState state) {
        outlets.awaitMultifd();
        for (int block = 0; block < blocks.size(); block++) {
            discards(block);
        }
        send(new StreamMessage.Ping(Wire.PING_DISCARDED));
        send(new PackagedBlob(state.devices(), List.of(Wire.PING_LOADED)).encode());
        outlets.main().mark(Mark.COMMIT);
        send(new StreamMessage.Ping(Wire.PING_PACKAGED));
    }

    /** A sync point in a section that was begun. */
    private void syncPoint() {
        MultifdOutgoing multifd = outlets.multifd();
        if (multifd != null) {
            Outbox main = outlets.main();
            ByteBuffer out = main.room(Long.BYTES);
            int start = out.position();
            multifd.syncPoint(out);
            main.appended(out.position() - start);
        }
    }

    private void discards(int block) {
        List<StreamMessage.Range> ranges = new ArrayList<>();
        long from = scheduler.dirty(block).nextSet(0);
        while (from >= 0) {
            long end = scheduler.dirty(block).nextClear(from);
            end = end < 0 ? blocks.get(block).pages() : end;
            ranges.add(new StreamMessage.Range(from << Pages.SHIFT, (end - from) << Pages.SHIFT));
            if (ranges.size() == StreamMessage.RamDiscard.MAX_RANGES_SENT) {
                send(new StreamMessage.RamDiscard(blocks.get(block).name(), List.copyOf(ranges)));
                ranges.clear();
            }
            from = scheduler.dirty(block).nextSet(end);
        }
        if (!ranges.isEmpty()) {
            send(new StreamMessage.RamDiscard(blocks.get(block).name(), ranges));
        }
    }

    void postcopyEnd() {
        send(new StreamMessage.SectionEnd(ramSection));
        send(new StreamMessage.EndOfRecords());
        send(footer);
        send(new StreamMessage.EndOfStream());
        outlets.main().mark(Mark.END);
    }

    void bitmapRequests() {
        for (int block = 0; block < blocks.size(); block++) {
            send(new StreamMessage.RecvBitmap(blocks.get(block).name()));
        }
    }

    void resume() {
        send(new StreamMessage.PostcopyResume());
    }

    private void send(StreamMessage message) {
        int size = StreamEncoder.size(message);
        if (size <= Outbox.CHUNK) {
            ByteBuffer out = outlets.main().room(size);
            StreamEncoder.write(message, out);
            outlets.main().appended(size);
        } else {
            ByteBuffer out = ByteBuffer.allocate(size);
            StreamEncoder.write(message, out);
            outlets.main().append(out.flip());
        }
    }
}
