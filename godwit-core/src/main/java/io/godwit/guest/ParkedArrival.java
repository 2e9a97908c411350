// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.pump.Arrival;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.PageSink;
import io.godwit.wire.StreamMessage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What an incoming migration brings to a parked guest, and when what has come is made sure of. Used by the loop only. */
public final class ParkedArrival implements IncomingGuest {
    /** How much of a postcopy, in time, may have to be sent again to another process after the death of this one. */
    public static final long CHECKPOINT_NANOS = 1_000_000_000L;

    /** How often it is seen, in precopy, whether much has come that could be written out. */
    private static final long WRITE_OUT_NANOS = 50_000_000L;

    private final ParkedGuest guest;
    private final boolean unsafe;
    private final long checkpointNanos;
    private final DiskWorks works;
    private final Consumer<String> notices;
    private boolean known;
    private boolean checkpointing;
    private long nextCheckpoint;

    /**
     * @param unsafe a source without a return path may send: it takes itself for done before anything is durable here
     * @param checkpointNanos from one checkpoint to the next while pages come in postcopy, see {@link #CHECKPOINT_NANOS}
     * @param notices takes sentences for the operator
     */
    public ParkedArrival(
            ParkedGuest guest, boolean unsafe, long checkpointNanos, DiskWorks works, Consumer<String> notices) {
        this.guest = guest;
        this.unsafe = unsafe;
        this.checkpointNanos = checkpointNanos;
        this.works = works;
        this.notices = notices;
        this.known = guest.phase() instanceof ParkedGuest.Interrupted;
    }

    /** The migration has paused. Nobody waits for what this does; a recovery that comes to another process then asks for less. */
    public void paused() {
        checkpoint(() -> {});
    }

    /** Pages are coming: what has come is made sure of now and then; in precopy, where it counts for nothing yet, so that the end has less to do. */
    public void receiving(boolean postcopy, long now) {
        if (!checkpointing && now >= nextCheckpoint) {
            checkpointing = true;
            nextCheckpoint = now + (postcopy ? checkpointNanos : WRITE_OUT_NANOS);
            checkpoint(() -> checkpointing = false);
        }
    }

    private void checkpoint(Runnable ended) {
        works.work(guest::checkpoint, ended, reason -> {
            ended.run();
            notices.accept("what has come so far is not sure yet: " + reason);
        });
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
        String wrong = guest.receive(arrival, works);
        known = wrong == null;
        return wrong;
    }

    @Override
    public PageSink memory() {
        return guest.sink(works);
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
        if (postcopy) {
            begin(() -> guest.handOver(state), answer);
        } else {
            works.work(() -> guest.park(state, confirmed), answer::done, reason -> notParked(reason, answer));
        }
    }

    /**
     * That it failed would give the guest back to its source, and the disk may say all the same that it is parked. So nobody hears anything before the disk has been told; a process that is ended meanwhile
     * leaves to the next one what is there, whichever it is, and all of the memory.
     */
    private void notParked(String reason, Answer answer) {
        if (!guest.undecided()) {
            answer.failed(reason, true);
            return;
        }
        answer.undecided(reason);
        notices.accept("its disk may say that the guest is parked, and takes neither that nor the opposite (" + reason
                + "): its source hears nothing before it does, and this is tried again and again");
        decide(reason, answer);
    }

    private void decide(String reason, Answer answer) {
        works.later(guest::settle, () -> answer.failed(reason, true), _ -> decide(reason, answer));
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
        works.work(what, answer::done, reason -> answer.failed(reason, true));
    }
}
