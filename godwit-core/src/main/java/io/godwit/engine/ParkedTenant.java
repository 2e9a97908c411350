// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.guest.ParkedGuest;
import io.godwit.protocol.MigrationOptions;
import io.godwit.pump.Arrival;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StorageException;
import io.godwit.pump.StreamIdentity;
import io.godwit.wire.StreamMessage;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A guest that is parked: its works are done by a thread of its own and answered by events of the loop. Used by the loop only. */
final class ParkedTenant implements Tenant {
    /** Does what may take as long as a disk takes, elsewhere, and tells the loop. */
    interface Disk {
        void work(Runnable work, Runnable done, Consumer<String> failed);
    }

    /** How much of a postcopy, in time, may have to be sent again to another process after the death of this one. */
    private static final long CHECKPOINT_NANOS = 1_000_000_000L;

    /** How often it is seen, in precopy, whether much has come that could be written out. */
    private static final long WRITE_OUT_NANOS = 50_000_000L;

    private final ParkedGuest guest;
    private final boolean unsafe;
    private final DiskWorker worker;
    private final Consumer<Runnable> loop;
    private final ParkedCustody custody;
    private final Consumer<String> notices;
    private final Coming coming;
    private boolean checkpointing;
    private long nextCheckpoint;

    /**
     * @param unsafe a source without a return path may send: it takes itself for done before anything is durable here
     * @param loop runs something on the loop, soon
     * @param stopped the statement that the guest leaves is durable
     * @param notStopped it is not, and why
     */
    ParkedTenant(
            ParkedGuest guest,
            boolean unsafe,
            DiskWorker worker,
            Consumer<Runnable> loop,
            Runnable stopped,
            Consumer<String> notStopped,
            Consumer<String> notices) {
        this.guest = guest;
        this.unsafe = unsafe;
        this.worker = worker;
        this.loop = loop;
        this.notices = notices;
        this.coming = new Coming(guest.phase() instanceof ParkedGuest.Interrupted);
        this.custody = new ParkedCustody(guest, this::work, stopped, notStopped, notices);
    }

    private void work(Runnable work, Runnable done, Consumer<String> failed) {
        worker.submit(() -> {
            try {
                work.run();
            } catch (StorageException e) {
                loop.accept(() -> failed.accept(String.valueOf(e.getMessage())));
                return;
            } catch (RuntimeException | Error e) {
                // A defect of the store: the loop has to hear of it all the same, else it would wait for ever.
                loop.accept(() -> failed.accept(e.toString()));
                return;
            }
            loop.accept(done);
        });
    }

    @Override
    public ParkedCustody custody() {
        return custody;
    }

    @Override
    public IncomingGuest incoming() {
        return coming;
    }

    @Override
    public OutgoingGuest outgoing() {
        return new Going(guest.identity(), guest.source(), guest.state().early());
    }

    @Override
    public MachineState state() {
        return guest.state();
    }

    @Override
    public @Nullable String whyNotMigrate() {
        return guest.whyNotLeave();
    }

    /** Nothing dirties its memory and nobody waits for it to stop: a first pass would only keep it from running. */
    @Override
    public boolean atOnce(MigrationOptions options) {
        return options.postcopy();
    }

    @Override
    public MigrationInfo.Requests requests() {
        return MigrationInfo.Requests.NONE;
    }

    @Override
    public void writeMemory(Path file, long address, long size) throws CommandRefused {
        throw new CommandRefused("the memory of a parked guest is not to be had this way: export it from its store");
    }

    /** Nobody waits for it; a recovery that comes to another process then asks for less. */
    @Override
    public void paused() {
        checkpoint(() -> {});
    }

    @Override
    public void receiving(boolean postcopy, long now) {
        if (!checkpointing && now >= nextCheckpoint) {
            checkpointing = true;
            nextCheckpoint = now + (postcopy ? CHECKPOINT_NANOS : WRITE_OUT_NANOS);
            checkpoint(() -> checkpointing = false);
        }
    }

    private void checkpoint(Runnable ended) {
        work(guest::checkpoint, ended, reason -> {
            ended.run();
            notices.accept("what has come so far is not sure yet: " + reason);
        });
    }

    @Override
    public void close(Consumer<@Nullable Throwable> ended) {
        if (guest.phase() instanceof ParkedGuest.Interrupted) {
            paused();
        }
        worker.end(guest::close, ended);
    }

    @SuppressWarnings("ArrayRecordComponent") // handed on as it is, never compared
    private record Going(StreamIdentity identity, PageSource memory, byte[] early) implements OutgoingGuest {}

    /** What an incoming migration brings to it. */
    private final class Coming implements IncomingGuest {
        private boolean known;

        Coming(boolean known) {
            this.known = known;
        }

        @Override
        public @Nullable String unfit(StreamMessage.Configuration configuration) {
            return null;
        }

        @Override
        public @Nullable String adopt(Arrival arrival) {
            if (arrival.identity().configuration().machine().isEmpty()) {
                return "the source does not say what machine it is: a machine type of 2.4 or newer is needed";
            }
            if (!arrival.returnPath() && !unsafe) {
                return "the source has no return path: it would take itself for done, and its machine for moved, before anything of it is safe on disk here;"
                        + " switch on capability return-path at the source, or say --unsafe here";
            }
            String wrong = guest.receive(arrival);
            known = wrong == null;
            return wrong;
        }

        @Override
        public PageSink memory() {
            return guest.sink();
        }

        @Override
        public boolean known() {
            return known;
        }

        @Override
        public MissingPages missingPages() {
            return MissingPages.NONE;
        }

        @Override
        public void reset() {
            if (known) {
                known = false;
                guest.reset();
            }
        }

        @Override
        public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
            begin(postcopy ? () -> guest.handOver(state) : () -> guest.park(state, confirmed), answer);
        }

        @Override
        public void finish(boolean confirmed, Answer answer) {
            begin(() -> guest.park(null, confirmed), answer);
        }

        @Override
        public void mend(Answer answer) {
            begin(guest::mend, answer);
        }

        private void begin(Runnable what, Answer answer) {
            work(what, answer::done, reason -> answer.failed(reason, true));
        }
    }
}
