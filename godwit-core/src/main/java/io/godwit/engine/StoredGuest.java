// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.ParkedGuest;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StreamIdentity;
import io.godwit.store.Arrival;
import io.godwit.store.Manifest;
import io.godwit.store.StoreException;
import io.godwit.store.StoreSink;
import io.godwit.store.StoreSource;
import io.godwit.store.StoreState;
import io.godwit.store.StoredDevices;
import io.godwit.store.VmStore;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A VM's folder as the end of a migration. The folder is used by nobody else from then on, and closed with it. */
public final class StoredGuest implements ParkedGuest {
    private static final byte[] UNDESCRIBED = "{}".getBytes(StandardCharsets.US_ASCII);

    private final VmStore store;
    private final InstantSource clock;
    private final boolean evenUnconfirmed;
    private final boolean clone;
    private volatile String destination = "";
    private volatile @Nullable StoreSink sink;
    private volatile @Nullable StoreSource source;

    /**
     * @param evenUnconfirmed the operator's explicit word: it may leave although its source was not heard to have completed
     * @param clone it leaves as a copy, and stays parked, too
     */
    public StoredGuest(VmStore store, InstantSource clock, boolean evenUnconfirmed, boolean clone) {
        this.store = store;
        this.clock = clock;
        this.evenUnconfirmed = evenUnconfirmed;
        this.clone = clone;
        if (phase() instanceof Interrupted) {
            sink = store.resumeReceiving();
        }
    }

    /** Where it is about to go, for the operator who reads the manifest. Any thread. */
    public void destination(String address) {
        destination = address;
    }

    @Override
    public Phase phase() {
        Manifest manifest = store.manifest();
        return manifest == null
                ? new Empty()
                : switch (manifest.state()) {
                    case StoreState.Receiving _, StoreState.Gone _ -> new Empty();
                    case StoreState.ReceivingPostcopy _ ->
                        new Interrupted(
                                identity(), new BlockTable(manifest.arrival().blocks()));
                    case StoreState.Parked _, StoreState.ParkedUnconfirmed _ -> new Parked();
                    case StoreState.Leaving(StoreState.Departure departure, boolean _) ->
                        new Leaving(new Departure(departure.postcopy(), departure.nonce()));
                };
    }

    @Override
    public @Nullable String receive(io.godwit.pump.Arrival arrival) {
        StreamMessage.Configuration configuration = arrival.identity().configuration();
        if (arrival.blocks().size() > Arrival.MAX_BLOCKS) {
            return "the source has " + arrival.blocks().size() + " RAM blocks; the store takes " + Arrival.MAX_BLOCKS;
        }
        sink = store.receive(new Arrival(
                configuration.machine(),
                arrival.blocks(),
                arrival.identity().ramSectionId(),
                null,
                configuration.uuid(),
                arrival.nonce()));
        return null;
    }

    @Override
    public PageSink sink() {
        return new Sink(Objects.requireNonNull(sink));
    }

    /** What came is of no value and is forgotten when the next source begins. */
    @Override
    public void reset() {}

    @Override
    public void handOver(MachineState state) {
        StoreSink receiving = Objects.requireNonNull(sink);
        if (!receiving.isPostcopy()) {
            receiving.beginPostcopy();
        }
        store.handOver(new StoredDevices(state.early(), state.devices(), null));
    }

    @Override
    public void checkpoint() {
        store.checkpoint();
    }

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
        store.park(
                state == null ? null : new StoredDevices(state.early(), state.devices(), state.description()),
                confirmed);
    }

    @Override
    public @Nullable String whyNotLeave() {
        return store.whyNotLeave(evenUnconfirmed);
    }

    @Override
    public StreamIdentity identity() {
        Arrival arrival = Objects.requireNonNull(store.manifest()).arrival();
        return new StreamIdentity(
                new StreamMessage.Configuration(arrival.machine(), OptionalInt.empty(), List.of(), arrival.uuid()),
                arrival.ramSectionId());
    }

    @Override
    public PageSource source() {
        StoreSource open = source;
        if (open == null) {
            open = store.source();
            source = open;
        }
        return open;
    }

    @Override
    public MachineState state() {
        StoredDevices devices = store.devices();
        byte[] description = devices.vmDescription();
        return new MachineState(devices.early(), devices.late(), description == null ? UNDESCRIBED : description);
    }

    @Override
    public void leave(Departure departure) {
        StoreState.Departure leaving =
                new StoreState.Departure(destination, departure.postcopy(), departure.nonce(), clock.instant());
        if (clone) {
            store.leaveAsClone(leaving, evenUnconfirmed);
        } else {
            store.leave(leaving, evenUnconfirmed);
        }
    }

    @Override
    public void stay() {
        if (leaving()) {
            store.takeBack();
        }
    }

    @Override
    public void gone() {
        if (leaving()) {
            store.gone("the destination has said that everything is there");
        }
    }

    private boolean leaving() {
        Manifest manifest = store.manifest();
        return manifest != null && manifest.state() instanceof StoreState.Leaving;
    }

    @Override
    public void close() {
        try (store) {
            StoreSource open = source;
            if (open != null) {
                open.close();
            }
        }
    }

    /** {@link #handOver} has begun postcopy, and a failed migration's pages are forgotten by the next one. */
    private record Sink(StoreSink to) implements PageSink {
        @Override
        public BlockTable blocks() {
            return to.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return to.received(block);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            to.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            to.storeZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            to.read(block, page, out);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            to.discard(block, firstPage, count);
        }

        @Override
        public void beginPostcopy() {}

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            return to.place(block, page, in, position);
        }

        @Override
        public boolean placeZero(int block, long page) {
            return to.placeZero(block, page);
        }

        @Override
        public void reset() {
            to.reset();
        }
    }
}
