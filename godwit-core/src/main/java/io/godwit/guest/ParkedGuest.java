// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.page.BlockTable;
import io.godwit.pump.Arrival;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StorageException;
import io.godwit.pump.StreamIdentity;
import org.jspecify.annotations.Nullable;

/**
 * A guest that never runs here: an incoming migration brings it, it is kept, and an outgoing one takes it away. Every statement of where it belongs is durable when the
 * method that makes it returns.
 *
 * <p>Two threads use it. The loop calls {@link #phase}, {@link #receive}, {@link #sink} and what that gives, {@link #reset}, {@link #undecided}, {@link #identity}, {@link #source},
 * {@link #state} and {@link #whyNotLeave}: they may read and write files, and wait for no disk to be sure of anything. All other methods may take as long as a disk
 * takes and are called by one worker, one at a time; while {@link #handOver}, {@link #park} or {@link #mend} is under way the loop neither reads nor writes the memory,
 * during {@link #checkpoint} it may. What fails is a {@link StorageException} with a sentence; it can be tried again.
 */
public interface ParkedGuest extends AutoCloseable {
    /** Where the guest is. */
    sealed interface Phase {}

    /** Nothing of it is here that would be of value without its source. */
    record Empty() implements Phase {}

    /**
     * An earlier process took it over in postcopy, and pages lack that are still at its source.
     *
     * @param blocks in the source's order
     */
    record Interrupted(StreamIdentity identity, BlockTable blocks) implements Phase {}

    /** All of it is here, and nobody runs it. */
    record Parked() implements Phase {}

    /** An earlier process let it go and did not hear whether it arrived. */
    record Leaving(Departure departure) implements Phase {}

    Phase phase();

    // ---- it comes

    /**
     * A source's block list has come. Forgets what an earlier attempt left.
     *
     * @param works writes its pages behind the loop
     * @return why it cannot be kept here, as a sentence, or null
     */
    @Nullable
    String receive(Arrival arrival, DiskWorks works);

    /**
     * Where its pages go: after {@link #receive}, or when it is {@link Interrupted}, and then in postcopy.
     *
     * @param works writes them behind the loop, from the first call on
     */
    PageSink sink(DiskWorks works);

    /** What {@link #receive} began has failed: forgets it. */
    void reset();

    /** Past the commit point: the device state is made durable, and that the guest is this side's. Begins postcopy in the {@link #sink}. */
    void handOver(MachineState state);

    /** Makes durable what was received until now, so that a restart asks for less; before {@link #handOver} only so that {@link #park} has less to do. */
    void checkpoint();

    /** After something failed: what is not durable counts as not received from now on. */
    void mend();

    /**
     * Everything has come: makes it durable, then says that it is parked.
     *
     * @param state null after {@link #handOver}
     * @param confirmed its source can never run it again by itself
     */
    void park(@Nullable MachineState state, boolean confirmed);

    /** After a {@link #park} that failed, in precopy: whether another process could find it parked all the same. Then its source may not be told that it has the guest, nor the opposite. */
    boolean undecided();

    /** What is {@link #undecided} is decided: it was not parked. */
    void settle();

    // ---- it goes

    /** Why it cannot leave, as a sentence, or null. */
    @Nullable
    String whyNotLeave();

    StreamIdentity identity();

    /**
     * Its pages. Nothing of them is ever dirty.
     *
     * @param works reads ahead, from the first call on
     */
    PageSource source(DiskWorks works);

    MachineState state();

    /** From now on the destination may run it. The commit point comes after this has returned. */
    void leave(Departure departure);

    /** It did not leave after all; no effect where it was not leaving. */
    void stay();

    /** The destination has all of it. */
    void gone();

    /** By the worker, after everything else. */
    @Override
    void close();
}
