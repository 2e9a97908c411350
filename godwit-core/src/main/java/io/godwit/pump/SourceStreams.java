// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.Pacer;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceInput.Mark;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.protocol.Wire;
import io.godwit.protocol.ZeroPageDetection;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a source writes: everything on the main and the preempt channel, in the order of {@code spec/sequences.md §2, §3 and §6}. Pages go memory → outbox buffer, nothing is
 * allocated per page. Used by the loop only.
 */
final class SourceStreams {
    /**
     * Bytes of background pages that may wait in the outbox: in precopy two chunks, in postcopy one batch, because a request waits until it is made and written, and an urgent page without
     * a channel of its own until the other end has taken it.
     */
    private static final long PRECOPY_BACKLOG = 2L * Outbox.CHUNK;

    private static final long POSTCOPY_BACKLOG = 32 * 1024;
    private static final long URGENT_BACKLOG = 256 * 1024;
    private static final int PRECOPY_BATCH = 60;
    private static final int POSTCOPY_BATCH = 15;
    /** Pages looked at in one call: zero pages (some 20 ns each) fill no outbox, and the loop must come back to its events. */
    private static final int PRECOPY_STINT = 1024;

    private static final int POSTCOPY_STINT = 512;
    private static final int SECTION_OVERHEAD = 5 + 8 + 5;
    /** A pass over nearly nothing is not repeated sooner than this: nothing new can have been learnt. */
    private static final long IDLE_PASS_NANOS = 5_000_000;

    private static final long MEASURE_BYTES = 1 << 20;

    private final MigrationOptions options;
    private final OutgoingGuest guest;
    private final int ramSection;
    private final StreamMessage part;
    private final StreamMessage footer;
    private final PageSource memory;
    private final BlockTable blocks;
    private final PageScheduler scheduler;
    private final SourceStats stats;
    private final Pacer pacer = new Pacer();
    private Outbox main = new Outbox();
    private Outbox preempt = new Outbox();
    private final OutgoingPages pages;
    private final @Nullable MultifdOutgoing multifd;
    private final RecordEncoder mainRecords;
    private final RecordEncoder preemptRecords;
    private Parameters parameters;
    private long passBegan;
    private long passBytes;
    private long nextPass;
    /** The last call in postcopy made requested pages and nothing else. */
    private boolean aloneLast;

    private @Nullable String damage;

    SourceStreams(
            MigrationOptions options,
            Parameters parameters,
            OutgoingGuest guest,
            PageScheduler scheduler,
            SourceStats stats) {
        this.options = options;
        this.parameters = parameters;
        this.guest = guest;
        this.ramSection = guest.identity().ramSectionId();
        this.part = new StreamMessage.SectionPart(ramSection);
        this.footer = new StreamMessage.Footer(ramSection);
        this.memory = guest.memory();
        this.blocks = memory.blocks();
        this.scheduler = scheduler;
        this.stats = stats;
        this.pages = new OutgoingPages(memory, stats, options.zeroPages() != ZeroPageDetection.NONE);
        this.multifd = options.multifd() == null
                ? null
                : new MultifdOutgoing(options.multifd(), options, guest, scheduler, stats);
        this.mainRecords = new RecordEncoder(blocks);
        this.preemptRecords = new RecordEncoder(blocks);
    }

    Outbox main() {
        return main;
    }

    Outbox preempt() {
        return preempt;
    }

    /** The channels of pages; null if there are none. */
    @Nullable
    MultifdOutgoing multifd() {
        return multifd;
    }

    /** Some of a multifd channel's bytes were handed to the kernel: once it has all, main may pass the commit point. */
    void multifdWritten() {
        if (multifd != null && multifd.pending() == 0) {
            main.release();
        }
    }

    /** What follows on main is not for the kernel before it has everything of the other channels: one that breaks until then gives the guest back. */
    private void awaitMultifd() {
        if (multifd != null && multifd.pending() > 0) {
            main.barrier();
        }
    }

    /** A sync point in a section that was begun. */
    private void syncPoint() {
        if (multifd != null) {
            ByteBuffer out = main.room(Long.BYTES);
            int start = out.position();
            multifd.syncPoint(out);
            main.appended(out.position() - start);
        }
    }

    /** Hands the outbox over to whoever writes out the rest. */
    Outbox takeMain() {
        Outbox taken = main;
        main = new Outbox();
        return taken;
    }

    Outbox takePreempt() {
        Outbox taken = preempt;
        preempt = new Outbox();
        return taken;
    }

    void parameters(Parameters changed) {
        parameters = changed;
    }

    void opening() {
        mainRecords.reset();
        preemptRecords.reset();
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

    void beginPrecopy(long now) {
        main.append(guest.early());
        send(StreamMessage.SectionStart.ram(ramSection));
        send(StreamMessage.MemSize.of(blocks.list()));
        if (multifd != null) {
            multifd.begin();
        }
        syncPoint();
        send(new StreamMessage.EndOfRecords());
        send(footer);
        if (options.xbzrle()) {
            pages.beginDifferences();
        }
        stats.passes = 1;
        passBegan = now;
        passBytes = 0;
        nextPass = now;
    }

    void keepAlive() {
        send(new StreamMessage.Ping(Wire.keepAlive(options.nonce())));
        main.mark(Mark.PING);
    }

    void harvest(long now) {
        long fresh = 0;
        for (int block = 0; block < blocks.size(); block++) {
            fresh += memory.harvestDirty(block, scheduler.dirty(block));
        }
        scheduler.recount();
        if (multifd != null) {
            multifd.endPass(main);
        }
        long nanos = now - passBegan;
        if (nanos > 0) {
            stats.dirtyPagesPerSecond = (long) (fresh * 1e9 / nanos);
            if (passBytes >= MEASURE_BYTES || stats.bytesPerSecond == 0) {
                stats.bytesPerSecond = passBytes * 1e9 / nanos;
            }
        }
        stats.passes++;
        passBegan = now;
        passBytes = 0;
    }

    void precopyEnd(MachineState state) {
        send(new StreamMessage.SectionEnd(ramSection));
        syncPoint();
        send(new StreamMessage.EndOfRecords());
        send(footer);
        awaitMultifd();
        main.append(state.devices());
        send(new StreamMessage.EndOfStream());
        main.mark(Mark.COMMIT);
        send(new StreamMessage.VmDescription(state.description()));
        main.mark(Mark.END);
    }

    void switchToPostcopy(MachineState state) {
        awaitMultifd();
        mainRecords.reset();
        pages.endDifferences();
        for (int block = 0; block < blocks.size(); block++) {
            discards(block);
        }
        send(new StreamMessage.Ping(Wire.PING_DISCARDED));
        send(new PackagedBlob(state.devices(), List.of(Wire.PING_LOADED)).encode());
        main.mark(Mark.COMMIT);
        send(new StreamMessage.Ping(Wire.PING_PACKAGED));
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

    void postcopyEnd(boolean withPreempt) {
        send(new StreamMessage.SectionEnd(ramSection));
        send(new StreamMessage.EndOfRecords());
        send(footer);
        send(new StreamMessage.EndOfStream());
        main.mark(Mark.END);
        if (withPreempt) {
            ByteBuffer out = preempt.room(8);
            preemptRecords.endOfRecords(out);
            preempt.appended(8);
        }
    }

    void bitmapRequests() {
        for (int block = 0; block < blocks.size(); block++) {
            send(new StreamMessage.RecvBitmap(blocks.get(block).name()));
        }
    }

    void resume() {
        mainRecords.reset();
        preemptRecords.reset();
        send(new StreamMessage.PostcopyResume());
    }

    private void send(StreamMessage message) {
        int size = StreamEncoder.size(message);
        if (size <= Outbox.CHUNK) {
            ByteBuffer out = main.room(size);
            StreamEncoder.write(message, out);
            main.appended(size);
        } else {
            ByteBuffer out = ByteBuffer.allocate(size);
            StreamEncoder.write(message, out);
            main.append(out.flip());
        }
    }

    /** Fills the outboxes by a batch or more; the input that the machine is to hear of next, after which this is to be called again, or null. */
    @Nullable
    SourceInput produce(
            SourceMachine machine, boolean connected, boolean withPreempt, LongConsumer passStarted, long now) {
        if (!connected) {
            return null;
        }
        SourceInput next = fill(machine, withPreempt, passStarted, now);
        String damaged = damage;
        damage = null;
        return damaged == null ? next : new SourceInput.StorageFailed(damaged);
    }

    private @Nullable SourceInput fill(SourceMachine machine, boolean withPreempt, LongConsumer passStarted, long now) {
        return switch (machine.state()) {
            case SourceState.Active _ -> precopy(machine, passStarted, now);
            case SourceState.Stopping _ -> {
                if (!machine.pagesWait()) {
                    precopyPages(parameters.maxBandwidth(), now);
                }
                yield null;
            }
            case SourceState.Flushing(boolean postcopy, boolean closing) -> postcopy || closing ? null : lastPass(now);
            case SourceState.PostcopyActive(boolean _, boolean ended) -> ended ? null : postcopy(withPreempt, now);
            case SourceState.Idle _,
                    SourceState.Setup _,
                    SourceState.PreSwitchover _,
                    SourceState.AwaitingShut _,
                    SourceState.Paused _,
                    SourceState.RecoverSetup _,
                    SourceState.Recover _,
                    SourceState.Held _,
                    SourceState.Uncertain _,
                    SourceState.Completed _,
                    SourceState.Failed _,
                    SourceState.Cancelled _ -> null;
        };
    }

    private @Nullable SourceInput precopy(SourceMachine machine, LongConsumer passStarted, long now) {
        if (machine.switchWanted()) {
            return new SourceInput.Estimate(Long.MAX_VALUE, 0);
        }
        if (machine.pagesWait()) {
            return null;
        }
        precopyPages(parameters.maxBandwidth(), now);
        if (scheduler.remaining() == 0 && nearlyWritten() && now >= nextPass) {
            harvest(now);
            passStarted.accept(stats.passes);
            nextPass = now + IDLE_PASS_NANOS;
            double speed = parameters.availSwitchoverBandwidth() > 0
                    ? parameters.availSwitchoverBandwidth()
                    : stats.bytesPerSecond;
            return new SourceInput.Estimate(scheduler.remaining() << Pages.SHIFT, speed);
        }
        return null;
    }

    private @Nullable SourceInput lastPass(long now) {
        precopyPages(0, now);
        return scheduler.remaining() == 0 ? new SourceInput.NothingLeft() : null;
    }

    private @Nullable SourceInput postcopy(boolean withPreempt, long now) {
        // What was asked for leaves before anything else is made. But never twice in a row: where requests come all the
        // time the background has its turn, too.
        boolean alone = !aloneLast && scheduler.hasUrgent();
        aloneLast = alone;
        urgent(withPreempt);
        if (damage != null || (alone && !scheduler.hasUrgent() && scheduler.remaining() > 0)) {
            return null;
        }
        batches(POSTCOPY_BACKLOG, POSTCOPY_BATCH, POSTCOPY_STINT, parameters.maxPostcopyBandwidth(), now);
        return scheduler.remaining() == 0 ? new SourceInput.NothingLeft() : null;
    }

    private void precopyPages(long bandwidth, long now) {
        if (multifd == null) {
            batches(PRECOPY_BACKLOG, PRECOPY_BATCH, PRECOPY_STINT, bandwidth, now);
        } else {
            packets(multifd, bandwidth, now);
        }
    }

    /** Packets on the multifd channels while their backlog and the bandwidth of all together allow. */
    private void packets(MultifdOutgoing channels, long bandwidth, long now) {
        pacer.rate(bandwidth, now);
        for (int done = 0;
                done < channels.stint() && scheduler.remaining() > 0 && !precopyFull();
                done += MultifdEncoder.MAX_PAGES) {
            long allowed = Math.min(MultifdEncoder.MAX_PAGES, pacer.allowance(now) / Pages.SIZE);
            if (allowed == 0) {
                return;
            }
            try {
                int bytes = (int) channels.fill(allowed, main);
                pacer.charge(bytes);
                count(bytes);
            } catch (StorageException e) {
                damage = String.valueOf(e.getMessage());
                return;
            }
        }
    }

    private boolean precopyFull() {
        return main.pending() >= PRECOPY_BACKLOG || (multifd != null && multifd.full());
    }

    /** Whether so little waits to be written that the speed of the pass can be told. */
    private boolean nearlyWritten() {
        return main.pending() <= Outbox.CHUNK && (multifd == null || multifd.pending() <= Outbox.CHUNK);
    }

    /** Background sections while the backlog and the bandwidth allow. */
    private void batches(long backlog, int batch, int stint, long bandwidth, long now) {
        pacer.rate(bandwidth, now);
        for (int done = 0; done < stint && scheduler.remaining() > 0 && main.pending() < backlog; done += batch) {
            long allowed = Math.min(batch, pacer.allowance(now) / Pages.SIZE);
            if (allowed == 0) {
                return;
            }
            ByteBuffer out = main.room(SECTION_OVERHEAD + RecordEncoder.MAX_RECORD + batch * (Pages.SIZE + 8));
            int start = beginSection(out);
            for (long i = 0; i < allowed; i++) {
                long address = scheduler.takeBackground();
                if (address == PageScheduler.NONE || !record(mainRecords, out, address)) {
                    break;
                }
            }
            endSection(out, start);
            if (damage != null) {
                return;
            }
        }
    }

    /** Requested pages: on their own channel if there is one, else in sections of main; never held back by the bandwidth. */
    private void urgent(boolean withPreempt) {
        if (withPreempt) {
            while (damage == null && preempt.pending() < URGENT_BACKLOG && scheduler.hasUrgent()) {
                ByteBuffer out = preempt.room(RecordEncoder.MAX_RECORD);
                int start = out.position();
                record(preemptRecords, out, scheduler.takeUrgent());
                preempt.appended(out.position() - start);
                count(out.position() - start);
            }
            return;
        }
        while (damage == null && main.pending() < URGENT_BACKLOG && scheduler.hasUrgent()) {
            ByteBuffer out = main.room(SECTION_OVERHEAD + RecordEncoder.MAX_RECORD + POSTCOPY_BATCH * (Pages.SIZE + 8));
            int start = beginSection(out);
            for (int i = 0; i < POSTCOPY_BATCH && scheduler.hasUrgent(); i++) {
                if (!record(mainRecords, out, scheduler.takeUrgent())) {
                    break;
                }
            }
            endSection(out, start);
        }
    }

    private int beginSection(ByteBuffer out) {
        int start = out.position();
        StreamEncoder.write(part, out);
        return start;
    }

    private void endSection(ByteBuffer out, int start) {
        mainRecords.endOfRecords(out);
        StreamEncoder.write(footer, out);
        int bytes = out.position() - start;
        main.appended(bytes);
        pacer.charge(bytes);
        count(bytes);
    }

    /** False if the page cannot be read: nothing of it is in the buffer then, and it is still to be sent. */
    private boolean record(RecordEncoder records, ByteBuffer out, long address) {
        int start = out.position();
        try {
            pages.record(records, out, address);
            return true;
        } catch (StorageException e) {
            out.position(start);
            records.reset();
            scheduler.putBack(address);
            damage = String.valueOf(e.getMessage());
            return false;
        }
    }

    private void count(int bytes) {
        passBytes += bytes;
        if (stats.stoppedAt < 0) {
            stats.precopyBytes += bytes;
        } else if (stats.handedOverAt < 0) {
            stats.downtimeBytes += bytes;
        } else {
            stats.postcopyBytes += bytes;
        }
    }

    /** When {@link #produce} could do more although nothing happened, or {@link Long#MAX_VALUE}. */
    long nextTick(SourceMachine machine, long now) {
        if (main.released()) {
            return Long.MIN_VALUE;
        }
        SourceState state = machine.state();
        boolean last =
                state instanceof SourceState.Flushing(boolean toPostcopy, boolean closing) && !toPostcopy && !closing;
        boolean precopy = last || state instanceof SourceState.Active || state instanceof SourceState.Stopping;
        boolean postcopy = state instanceof SourceState.PostcopyActive(boolean _, boolean ended) && !ended;
        if ((!precopy && !postcopy) || machine.pagesWait()) {
            return Long.MAX_VALUE;
        }
        if (scheduler.remaining() == 0) {
            // While the guest stops there is no pass to begin: the end of the stop is the next thing that happens.
            return state instanceof SourceState.Active && nearlyWritten() ? nextPass : Long.MAX_VALUE;
        }
        if (precopy ? precopyFull() : main.pending() >= POSTCOPY_BACKLOG) {
            return Long.MAX_VALUE;
        }
        int batch = precopy ? PRECOPY_BATCH : POSTCOPY_BATCH;
        return pacer.readyAt(Math.min(batch, scheduler.remaining()) * Pages.SIZE, now);
    }
}
