// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.page.BlockTable;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StreamIdentity;
import io.godwit.store.Arrival;
import io.godwit.store.Behind;
import io.godwit.store.Manifest;
import io.godwit.store.ReadAhead;
import io.godwit.store.StoreException;
import io.godwit.store.StoreSink;
import io.godwit.store.StoreSource;
import io.godwit.store.StoreState;
import io.godwit.store.StoredDevices;
import io.godwit.store.VmStore;
import io.godwit.wire.StreamMessage;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A VM's folder as the guest of an endpoint, see {@link ParkedGuest} for who calls what. Closing it closes the store. */
public final class StoredGuest implements ParkedGuest {
    private final VmStore store;
    private final InstantSource clock;
    private final Terms terms;
    private final ReadAhead reach;
    private final Function<Consumer<Runnable>, Behind> behind;
    private volatile @Nullable StoreSink sink;
    private @Nullable StoreSource source;

    /**
     * What the stream does not say.
     *
     * @param qemuVersion of the QEMU that a VM comes from, or null if nobody said
     * @param peer the address of the other end's QMP, or null if nobody said
     * @param to the address that a VM leaves to, for the operator
     * @param copy whether it leaves as a copy, and stays parked
     * @param evenUnconfirmed the operator's word that it may leave although its source was not heard to have completed
     */
    public record Terms(
            @Nullable String qemuVersion, @Nullable String peer, String to, Copy copy, boolean evenUnconfirmed) {
        /** To park. */
        public static Terms arriving(@Nullable String qemuVersion, @Nullable String peer) {
            return new Terms(qemuVersion, peer, "", Copy.NONE, false);
        }

        /** To unpark. */
        public static Terms leaving(@Nullable String peer, String to, Copy copy, boolean evenUnconfirmed) {
            return new Terms(null, peer, to, copy, evenUnconfirmed);
        }
    }

    /** Whether a VM leaves as a copy. */
    public enum Copy {
        NONE,
        /** A new one. */
        NEW,
        /** The last one, on whose way another process has ended: it is recovered. */
        LAST
    }

    public StoredGuest(VmStore store, InstantSource clock, Terms terms) {
        this(store, clock, terms, ReadAhead.USUAL, Behind::usual);
    }

    /**
     * @param reach how far its pages are read ahead when it leaves
     * @param behind how its pages are written behind the loop when it comes
     */
    public StoredGuest(
            VmStore store,
            InstantSource clock,
            Terms terms,
            ReadAhead reach,
            Function<Consumer<Runnable>, Behind> behind) {
        this.reach = reach;
        this.behind = behind;
        this.store = store;
        this.clock = clock;
        this.terms = terms;
    }

    @Override
    public Phase phase() {
        Manifest now = store.manifest();
        if (now == null) {
            return new Empty();
        }
        return switch (now.state()) {
            case StoreState.Receiving _, StoreState.Gone _ -> new Empty();
            case StoreState.ReceivingPostcopy _ ->
                new Interrupted(identity(), new BlockTable(now.arrival().blocks()));
            case StoreState.Parked _, StoreState.ParkedUnconfirmed _ -> {
                StoreState.Departure copy = now.lastClone();
                yield terms.copy() == Copy.LAST && copy != null ? leaving(copy) : new Parked();
            }
            case StoreState.Leaving(StoreState.Departure departure, boolean _) -> leaving(departure);
        };
    }

    private static Leaving leaving(StoreState.Departure departure) {
        return new Leaving(new Departure(departure.postcopy(), departure.nonce()));
    }

    // ---- it comes

    @Override
    public @Nullable String receive(io.godwit.pump.Arrival arrival, DiskWorks works) {
        StreamMessage.Configuration configuration = arrival.identity().configuration();
        if (configuration.targetPageBits().isPresent()
                || !configuration.capabilities().isEmpty()) {
            return "its stream says more of the machine than the store keeps (page size "
                    + configuration.targetPageBits() + ", capabilities " + configuration.capabilities() + ")";
        }
        Arrival known;
        try {
            known = new Arrival(
                    configuration.machine(),
                    arrival.blocks(),
                    arrival.identity().ramSectionId(),
                    terms.qemuVersion(),
                    terms.peer(),
                    configuration.uuid(),
                    arrival.nonce());
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
        sink = store.receive(known, behind.apply(works::beside));
        return null;
    }

    @Override
    public PageSink sink(DiskWorks works) {
        StoreSink open = sink;
        if (open == null) {
            open = store.resumeReceiving(behind.apply(works::beside));
            sink = open;
        }
        return open;
    }

    /** Gives the room on the disk back; a hand-over that was begun and not durable stays, until the next {@link #receive} forgets it. */
    @Override
    public void reset() {
        StoreSink open = sink;
        if (open != null && !open.isPostcopy()) {
            store.settle();
            open.reset();
        }
    }

    @Override
    public void handOver(MachineState state) {
        Objects.requireNonNull(sink).beginPostcopy();
        store.handOver(stored(state));
    }

    @Override
    public void checkpoint() {
        store.checkpoint();
    }

    /** After a failed write all that was written before is good still; after a failed sync nothing is that was not synced earlier. */
    @Override
    public void mend() {
        try {
            store.checkpoint();
        } catch (StoreException e) {
            if (e.kind() != StoreException.Kind.SYNC_FAILED) {
                throw e;
            }
            store.rollBack();
        }
    }

    @Override
    public void park(@Nullable MachineState state, boolean confirmed) {
        store.park(state == null ? null : stored(state), confirmed);
    }

    @Override
    public boolean undecided() {
        return store.undecided();
    }

    @Override
    public void settle() {
        store.settle();
    }

    private static StoredDevices stored(MachineState state) {
        return new StoredDevices(state.early(), state.devices(), state.description());
    }

    // ---- it goes

    @Override
    public @Nullable String whyNotLeave() {
        return store.whyNotLeave(terms.evenUnconfirmed());
    }

    @Override
    public StreamIdentity identity() {
        Arrival arrival = Objects.requireNonNull(store.manifest()).arrival();
        StreamMessage.Configuration configuration =
                new StreamMessage.Configuration(arrival.machine(), OptionalInt.empty(), List.of(), arrival.uuid());
        return new StreamIdentity(configuration, arrival.ramSectionId());
    }

    @Override
    public synchronized PageSource source(DiskWorks works) {
        StoreSource open = source;
        if (open == null) {
            open = store.source();
            open.readElsewhere((work, done, failed) -> works.work(work, done, _ -> failed.run()), reach);
            source = open;
        }
        return open;
    }

    @Override
    public MachineState state() {
        StoredDevices devices = store.devices();
        return new MachineState(devices.early(), devices.late(), devices.description());
    }

    @Override
    public void leave(Departure departure) {
        StoreState.Departure way = new StoreState.Departure(
                terms.to(), terms.peer(), departure.postcopy(), departure.nonce(), clock.instant());
        switch (terms.copy()) {
            case NONE -> store.leave(way, terms.evenUnconfirmed());
            case NEW, LAST -> store.leaveAsClone(way, terms.evenUnconfirmed());
        }
    }

    /** Also where it could not be said that it leaves: the disk may say so all the same. */
    @Override
    public void stay() {
        Manifest now = store.manifest();
        if (now != null && now.state() instanceof StoreState.Leaving) {
            store.takeBack();
        } else {
            store.settle();
        }
    }

    @Override
    public void gone() {
        if (terms.copy() == Copy.NONE) {
            store.gone("its destination has all of it");
        }
    }

    @Override
    public synchronized void close() {
        try (store) {
            StoreSource open = source;
            source = null;
            if (open != null) {
                open.close();
            }
        }
    }
}
