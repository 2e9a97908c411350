// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedArrival;
import io.godwit.guest.ParkedDeparture;
import io.godwit.guest.ParkedGuest;
import io.godwit.protocol.MigrationOptions;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.StorageException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A guest that is parked: its works are done by threads of their own and answered by events of the loop. Used by the loop only. */
final class ParkedTenant implements Tenant {
    /** How often a disk is tried on which something hangs, and which does not do it. */
    private static final long AGAIN_SECONDS = 1;

    /** Its disk's threads. */
    private record Threads(DiskWorker works, DiskWorker writes, Consumer<Runnable> loop) implements DiskWorks {
        @Override
        public void work(Runnable work, Runnable done, Consumer<String> failed) {
            works.submit(() -> {
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
        public void later(Runnable work, Runnable done, Consumer<String> failed) {
            CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS).execute(() -> work(work, done, failed));
        }

        @Override
        public void beside(Runnable work) {
            writes.submit(work);
        }
    }

    private final ParkedGuest guest;
    private final Threads threads;
    private final ParkedDeparture departing;
    private final ParkedCustody custody;
    private final ParkedArrival arriving;

    /**
     * @param unsafe a source without a return path may send: it takes itself for done before anything is durable here
     * @param writer writes pages while {@code worker} waits for the disk
     * @param loop runs something on the loop, soon
     * @param stopped the statement that the guest leaves is durable
     * @param notStopped it is not, and why
     */
    ParkedTenant(
            ParkedGuest guest,
            boolean unsafe,
            DiskWorker worker,
            DiskWorker writer,
            Consumer<Runnable> loop,
            Runnable stopped,
            Consumer<String> notStopped,
            Consumer<String> notices) {
        this.guest = guest;
        this.threads = new Threads(worker, writer, loop);
        this.arriving = new ParkedArrival(guest, unsafe, ParkedArrival.CHECKPOINT_NANOS, threads, notices);
        this.departing = new ParkedDeparture(guest, threads, notices);
        this.custody = new ParkedCustody(departing, stopped, notStopped);
    }

    @Override
    public ParkedCustody custody() {
        return custody;
    }

    @Override
    public IncomingGuest incoming() {
        return arriving;
    }

    @Override
    public OutgoingGuest outgoing() {
        return departing.outgoing();
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

    @Override
    public void paused() {
        arriving.paused();
    }

    @Override
    public void receiving(boolean postcopy, long now) {
        arriving.receiving(postcopy, now);
    }

    @Override
    public void close(Consumer<@Nullable Throwable> ended) {
        if (guest.phase() instanceof ParkedGuest.Interrupted) {
            paused();
        }
        threads.works.end(
                () -> {
                    try {
                        guest.close();
                    } finally {
                        threads.writes.end(() -> {}, _ -> {});
                    }
                },
                ended);
    }
}
