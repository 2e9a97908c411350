// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.Pacer;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.protocol.ZeroPageDetection;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.RecordEncoder;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The pages that a source sends: which, when, and on which channel. They go memory → outbox buffer, nothing is allocated per page. Used by the loop only.
 */
final class SourcePages {
    /**
     * Bytes of background pages that may wait in the outbox in postcopy: one batch, because a request waits until it is made and written, and an urgent page without a channel of its own
     * until the other end has taken it.
     */
    private static final long POSTCOPY_BACKLOG = 32 * 1024;

    private static final long URGENT_BACKLOG = 256 * 1024;
    private static final int PRECOPY_BATCH = 60;
    private static final int POSTCOPY_BATCH = 15;
    /** Pages looked at in one call: zero pages (some 20 ns each) fill no outbox, and the loop must come back to its events. */
    private static final int PRECOPY_STINT = 1024;

    private static final int POSTCOPY_STINT = 512;
    /** A pass over nearly nothing is not repeated sooner than this: nothing new can have been learnt. */
    private static final long IDLE_PASS_NANOS = 5_000_000;

    private static final long MEASURE_BYTES = 1 << 20;

    private final MigrationOptions options;
    private final PageSource memory;
    private final BlockTable blocks;
    private final PageScheduler scheduler;
    private final SourceStats stats;
    private final SourceOutlets outlets;
    private final Pacer pacer = new Pacer();
    private final OutgoingPages pages;
    private final RecordEncoder mainRecords;
    private final OpenSection section;
    private final RecordEncoder preemptRecords;
    private Parameters parameters;
    private long passBegan;
    private long passBytes;
    private long nextPass;
    /** The last call in postcopy made requested pages and nothing else. */
    private boolean aloneLast;

    private @Nullable String damage;
    private final BooleanSupplier ready = this::ready;
    /** The next background page is being read: the loop is woken when it is there. */
    private boolean reading;

    SourcePages(
            MigrationOptions options,
            Parameters parameters,
            OutgoingGuest guest,
            PageScheduler scheduler,
            SourceOutlets outlets,
            SourceStats stats) {
        this.options = options;
        this.parameters = parameters;
        this.memory = guest.memory();
        this.blocks = memory.blocks();
        this.scheduler = scheduler;
        this.outlets = outlets;
        this.stats = stats;
        this.pages = new OutgoingPages(memory, stats, options.zeroPages() != ZeroPageDetection.NONE);
        this.mainRecords = new RecordEncoder(blocks);
        this.section = new OpenSection(guest.identity().ramSectionId(), outlets, mainRecords);
        this.preemptRecords = new RecordEncoder(blocks);
    }

    void parameters(Parameters changed) {
        parameters = changed;
    }

    /** The channels are new: no record can mean a block that an earlier one has named. */
    void restart() {
        mainRecords.reset();
        preemptRecords.reset();
    }

    /** The first pass, over everything. */
    void beginPrecopy(long now) {
        if (options.xbzrle()) {
            pages.beginDifferences();
        }
        stats.passes = 1;
        passBegan = now;
        passBytes = 0;
        nextPass = now;
    }

    /** From here on pages go whole, and by name. */
    void beginPostcopy() {
        mainRecords.reset();
        pages.endDifferences();
    }

    /** No page comes on the preempt channel any more. */
    void endPreempt() {
        ByteBuffer out = outlets.preempt().room(Long.BYTES);
        preemptRecords.endOfRecords(out);
        outlets.preempt().appended(Long.BYTES);
    }

    /** Collects the guest's dirty marks: what a new pass sends. */
    void harvest(long now) {
        long fresh = 0;
        for (int block = 0; block < blocks.size(); block++) {
            fresh += memory.harvestDirty(block, scheduler.dirty(block));
        }
        scheduler.recount();
        MultifdOutgoing multifd = outlets.multifd();
        if (multifd != null) {
            multifd.endPass(outlets.main());
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

    /** Fills the outboxes by a batch or more; the input that the machine is to hear of next, after which this is to be called again, or null. */
    @Nullable
    SourceInput produce(
            SourceMachine machine, boolean connected, boolean withPreempt, LongConsumer passStarted, long now) {
        reading = false;
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
        if (scheduler.remaining() == 0 && outlets.nearlyWritten() && now >= nextPass) {
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
        batches(true, parameters.maxPostcopyBandwidth(), now);
        return scheduler.remaining() == 0 ? new SourceInput.NothingLeft() : null;
    }

    private void precopyPages(long bandwidth, long now) {
        MultifdOutgoing multifd = outlets.multifd();
        if (multifd == null) {
            batches(false, bandwidth, now);
        } else {
            packets(multifd, bandwidth, now);
        }
    }

    /** Packets on the multifd channels while their backlog and the bandwidth of all together allow. */
    private void packets(MultifdOutgoing channels, long bandwidth, long now) {
        pacer.rate(bandwidth, now);
        for (int done = 0;
                done < channels.stint() && scheduler.remaining() > 0 && !outlets.full();
                done += MultifdEncoder.MAX_PAGES) {
            long allowed = Math.min(MultifdEncoder.MAX_PAGES, pacer.allowance(now) / Pages.SIZE);
            if (allowed == 0 || !ready()) {
                return;
            }
            try {
                int bytes = (int) channels.fill(allowed, ready, outlets.main());
                pacer.charge(bytes);
                count(bytes);
            } catch (StorageException e) {
                damage = String.valueOf(e.getMessage());
                return;
            }
        }
    }

    /** Background sections while the backlog and the bandwidth allow. */
    private void batches(boolean postcopy, long bandwidth, long now) {
        int batch = postcopy ? POSTCOPY_BATCH : PRECOPY_BATCH;
        int stint = postcopy ? POSTCOPY_STINT : PRECOPY_STINT;
        pacer.rate(bandwidth, now);
        for (int done = 0; done < stint && scheduler.remaining() > 0 && !full(postcopy); done += batch) {
            long allowed = Math.min(batch, pacer.allowance(now) / Pages.SIZE);
            if (allowed == 0 || !ready()) {
                return;
            }
            ByteBuffer out = section.begin(batch);
            background(out, (int) allowed);
            endSection(out);
            if (damage != null) {
                return;
            }
        }
    }

    /** Appends records, the next one of which is ready. */
    private void background(ByteBuffer out, int most) {
        for (int done = 0; done < most && (done == 0 || ready()); ) {
            int count = pages.together(
                    mainRecords, outlets.main(), out, scheduler.nextBackground(), scheduler.backgroundRun(most - done));
            if (count > 0) {
                scheduler.takeBackground(count);
                done += count;
            } else if (record(mainRecords, out, scheduler.takeBackground())) {
                done++;
            } else {
                return;
            }
        }
    }

    /** Whether there is a next background page, and it can be read at once. */
    private boolean ready() {
        long next = scheduler.nextBackground();
        if (next == PageScheduler.NONE) {
            return false;
        }
        reading = !memory.ready(PageScheduler.block(next), PageScheduler.page(next));
        return !reading;
    }

    private boolean full(boolean postcopy) {
        return postcopy ? outlets.main().pending() >= POSTCOPY_BACKLOG : outlets.full();
    }

    /** Requested pages: on their own channel if there is one, else in sections of main; never held back by the bandwidth. */
    private void urgent(boolean withPreempt) {
        if (withPreempt) {
            while (damage == null && outlets.preempt().pending() < URGENT_BACKLOG && scheduler.hasUrgent()) {
                ByteBuffer out = outlets.preempt().room(RecordEncoder.MAX_RECORD);
                int start = out.position();
                record(preemptRecords, out, scheduler.takeUrgent());
                outlets.preempt().appended(out.position() - start);
                count(out.position() - start);
            }
            return;
        }
        while (damage == null && outlets.main().pending() < URGENT_BACKLOG && scheduler.hasUrgent()) {
            ByteBuffer out = section.begin(POSTCOPY_BATCH);
            for (int i = 0; i < POSTCOPY_BATCH && scheduler.hasUrgent(); i++) {
                if (!record(mainRecords, out, scheduler.takeUrgent())) {
                    break;
                }
            }
            endSection(out);
        }
    }

    private void endSection(ByteBuffer out) {
        int bytes = section.end(out);
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
        if (outlets.main().released()) {
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
            return state instanceof SourceState.Active && outlets.nearlyWritten() ? nextPass : Long.MAX_VALUE;
        }
        if (reading || full(postcopy)) {
            return Long.MAX_VALUE;
        }
        int batch = precopy ? PRECOPY_BATCH : POSTCOPY_BATCH;
        return pacer.readyAt(Math.min(batch, scheduler.remaining()) * Pages.SIZE, now);
    }
}
