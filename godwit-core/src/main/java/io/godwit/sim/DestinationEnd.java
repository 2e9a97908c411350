// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.ParkedGuest;
import io.godwit.page.BlockTable;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.Outbox;
import io.godwit.pump.StreamIdentity;
import io.godwit.wire.StreamContext;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The destination's endpoint. It listens from migrate-incoming on. */
final class DestinationEnd extends SimEndpoint implements DestinationHost {
    private final SimGuest guest;
    private final SimMemory memory;
    private final Seams seams;
    private final @Nullable SimStore store;
    private final @Nullable SimIncoming running;
    private @Nullable SimParked parked;
    private final DestinationHost host;
    private DestinationSession session;
    private Parameters parameters;
    private boolean listens;

    /** @param store what keeps its guest, or null if that runs here */
    DestinationEnd(
            World world,
            SimGuest guest,
            SimMemory memory,
            Parameters parameters,
            @Nullable SimStore store,
            Seams seams) {
        super("destination", world);
        this.guest = guest;
        this.memory = memory;
        this.seams = seams;
        this.parameters = parameters;
        this.store = store;
        if (store == null) {
            this.running = new SimIncoming(
                    world, memory, seams.sink().apply(memory), world.setup().failingLoads(), this::event);
        } else {
            this.running = null;
            store.belongsTo(this, this::compare);
            store.open();
            this.parked = new SimParked(world, store, memory, seams.sink());
        }
        this.host = seams.destinationHost().apply(this);
        this.session = fresh();
        memory.onPlaced(page -> {
            world.placed(page);
            guest.placed(page);
        });
        guest.listen(
                () -> world.queue().after(1_000, () -> event("a page is missing", () -> {})), () -> {}, world::check);
    }

    SimGuest guest() {
        return guest;
    }

    SimMemory memory() {
        return memory;
    }

    /** Whether the disk has what the destination says that it has: the device state, and once everything is there every page. */
    boolean sure() {
        return running == null || running.sure(state() instanceof DestinationState.Completed);
    }

    DestinationMachine machine() {
        return session.machine();
    }

    DestinationSession session() {
        return session;
    }

    private DestinationSession fresh() {
        return new DestinationSession(
                world.destinationOptions(), parameters, seams.incoming().apply(incoming()), host);
    }

    private IncomingGuest incoming() {
        return Objects.requireNonNull(running == null ? parked : running);
    }

    private void compare() {
        if (parked != null) {
            parked.compare(state());
            world.rules().sometimes(Objects.requireNonNull(store));
        }
    }

    @Override
    @Nullable
    SimStore store() {
        return store;
    }

    /** Whether the guest is, or has been, this end's, as the process knows it or as its store says. */
    boolean ran() {
        return machine().ran() || (store != null && store.parked());
    }

    /** All of the guest is in the store, and it is an earlier process that had received it: this one waits for nobody. */
    boolean keepsIt() {
        return store != null && store.parked() && state() instanceof DestinationState.Idle;
    }

    /** The process has ended: what it had in memory is gone with it. */
    void ended() {
        listens = false;
        session = fresh();
    }

    /**
     * Another process begins with what the disk has, as an endpoint does with a parked guest.
     *
     * @throws StorageException if it cannot
     */
    void begin(SimStore kept) {
        ParkedGuest stored = kept.open();
        SimParked fresh = new SimParked(world, kept, memory, seams.sink());
        switch (stored.phase()) {
            case ParkedGuest.Empty _ -> {
                memory.begin();
                parked = fresh;
                session = fresh();
            }
            case ParkedGuest.Interrupted(StreamIdentity identity, BlockTable blocks) -> {
                world.rules().goesOn(kept, stored.sink(kept), memory);
                if (!memory.postcopy()) {
                    memory.beginPostcopy();
                }
                hasIt();
                parked = fresh;
                session = DestinationSession.interrupted(
                        world.destinationOptions(),
                        parameters,
                        seams.incoming().apply(fresh),
                        new StreamContext(blocks, identity.ramSectionId()),
                        host);
            }
            case ParkedGuest.Parked _ -> {
                hasIt();
                parked = fresh;
                session = fresh();
            }
            case ParkedGuest.Leaving _ -> throw new Violation("the destination's store says that its guest leaves");
        }
    }

    /** An earlier process may have made it durable and not lived to know it. */
    private void hasIt() {
        if (guest.holder() == SimGuest.Holder.AWAITED) {
            world.guestArrives();
            guest.arrived(false);
        }
    }

    DestinationState state() {
        return session.machine().state();
    }

    /** Whether somebody who connects is heard. */
    boolean listens() {
        return listens;
    }

    @Nullable
    String operator(DestinationInput input) {
        @Nullable String[] refusal = new @Nullable String[1];
        if (!alive()) {
            return world.refused("destination", input, "there is no process");
        }
        event(null, () -> refusal[0] = say(input));
        return refusal[0];
    }

    /** The operator's migrate-recover. */
    void awaitRecovery() {
        operator(new DestinationInput.AwaitRecovery(session.missing()));
    }

    private @Nullable String say(DestinationInput input) {
        long now = world.queue().now();
        String before = machine().fingerprint(now);
        if (keepsIt()) {
            return world.refused("destination", input, "a guest is parked here");
        }
        if (input instanceof DestinationInput.Incoming && machine().refuse(input) == null) {
            // As the engine does: each migration that is awaited has a session of its own.
            DestinationSession former = session;
            session = fresh();
            session.succeed(former);
            listens = true;
        }
        String refusal = session.operator(input, now);
        refusal = refusal == null ? null : seams.refusals().apply(refusal);
        if (refusal == null) {
            listens |= input instanceof DestinationInput.AwaitRecovery;
            world.trace().event("operator", "destination: " + input);
            if (input instanceof DestinationInput.Pause) {
                world.faults().add(FaultKind.OPERATOR, "destination");
            }
        } else if (!before.equals(machine().fingerprint(now))) {
            throw new Violation("a refused " + input + " changed the destination: " + before + " became "
                    + machine().fingerprint(now));
        }
        return refusal == null ? null : world.refused("destination", input, refusal);
    }

    void yank() {
        event(null, () -> {
            if (session.yank(world.queue().now())) {
                world.trace().event("operator", "destination: yank");
                world.faults().add(FaultKind.OPERATOR, "destination");
            }
        });
    }

    void parameters(Parameters changed) {
        event("parameters " + changed, () -> {
            parameters = changed;
            session.parameters(changed);
        });
    }

    Parameters parameters() {
        return parameters;
    }

    void want(boolean run) {
        event(null, () -> {
            if (guest.holder() == SimGuest.Holder.HERE && !world.disk().there() && store == null) {
                world.trace().event("operator", "destination: " + (run ? "cont" : "stop"));
                guest.want(run);
            }
        });
    }

    /** Somebody connects. */
    void accept(SimLink link, String peer) {
        if (!alive() && world.mishaps().dark(this)) {
            link.vanish(SimLink.ACCEPTOR);
            return;
        }
        if (!listens()) {
            link.turnAway();
            return;
        }
        Conn conn = accepted(link);
        event(
                link + ": accepted from " + peer,
                () -> session.accepted(conn.id, peer, world.queue().now()));
    }

    @Override
    @Nullable
    Outbox outbox(int id) {
        return session.outbox(id);
    }

    @Override
    boolean waits(int id) {
        return session.waits(id);
    }

    @Override
    void connectedTo(int id) {
        throw new IllegalStateException("the destination connects to nobody");
    }

    @Override
    void deliver(int id, ByteBuffer in) {
        session.received(id, in, world.queue().now());
    }

    @Override
    void inputEnded(int id) {
        session.ended(id, world.queue().now());
    }

    @Override
    void lost(int id, String reason) {
        if (!seams.deafDestination().test(state(), new DestinationInput.Broken(Channel.MAIN, reason))) {
            session.broken(id, reason, world.queue().now());
        }
    }

    @Override
    void wrote(int id) {
        world.moves();
    }

    @Override
    void produce() {
        session.produce(world.queue().now());
        boolean postcopy = state() instanceof DestinationState.PostcopyActive;
        if (parked != null && (postcopy || state() instanceof DestinationState.Active)) {
            parked.receiving(postcopy, world.queue().now());
        }
    }

    @Override
    long nextTick() {
        return seams.deafDestination().test(state(), new DestinationInput.Tick(0))
                ? Long.MAX_VALUE
                : session.nextTick();
    }

    @Override
    void tick() {
        session.tick(world.queue().now());
    }

    @Override
    public void abort(int connection, String reason) {
        abortConnection(connection, reason);
    }

    @Override
    public void close(int connection, Outbox rest) {
        leave(connection, rest);
    }

    @Override
    public void again(int connection) {
        offerAgain(connection);
    }

    @Override
    public long now() {
        return world.queue().now();
    }

    @Override
    public void startGuest() {
        boolean runs = running != null && running.runs();
        world.trace().event("destination", "the guest is here" + (runs ? " and runs" : ", and stands"));
        world.guestArrives();
        world.goesOn(runs);
        guest.arrived(runs);
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        if (to == MigrationStatus.POSTCOPY_PAUSED && parked != null) {
            parked.paused();
        }
        world.destinationStatus(from, to, reason);
    }

    @Override
    public void notice(String text) {
        world.trace().event("destination", "notice: " + text);
    }
}
