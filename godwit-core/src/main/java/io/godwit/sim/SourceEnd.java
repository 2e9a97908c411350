// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.ParkedGuest;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.Outbox;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.SourceHost;
import io.godwit.pump.SourceSession;
import io.godwit.pump.StorageException;
import io.godwit.store.StoreState;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The source's endpoint. */
final class SourceEnd extends SimEndpoint implements SourceHost {
    private final SimGuest guest;
    private final SimMemory memory;
    private final Seams seams;
    private final SourceHost host;
    private final @Nullable SimStore store;
    private SimLeaving leaving;
    private final Map<Integer, Channel> roles = new HashMap<>();
    private Parameters parameters;
    private @Nullable SourceSession session;
    private boolean resolvedHere;
    private long attempts;

    /** @param store what keeps its guest, or null if that runs here */
    SourceEnd(
            World world,
            SimGuest guest,
            SimMemory memory,
            Parameters parameters,
            @Nullable SimStore store,
            Seams seams) {
        super("source", world);
        this.guest = guest;
        this.memory = memory;
        this.parameters = parameters;
        this.seams = seams;
        this.host = seams.sourceHost().apply(this);
        this.store = store;
        if (store == null) {
            this.leaving = new SimRunning(world, this, guest, seams.pages().apply(memory));
        } else {
            store.belongsTo(this, () -> {});
            store.open();
            this.leaving = new SimUnparked(world, this, guest, store, seams.pages());
        }
        guest.listen(
                () -> {},
                () -> event("the guest has stopped", () -> {
                    if (session != null) {
                        session.guestStopped(world.queue().now());
                    }
                }),
                world::check);
    }

    SimGuest guest() {
        return guest;
    }

    SimMemory memory() {
        return memory;
    }

    /** The present migration's machine, or null before the first. */
    @Nullable
    SourceMachine machine() {
        return session == null ? null : session.machine();
    }

    @Nullable
    SourceSession session() {
        return session;
    }

    SourceState state() {
        if (session != null) {
            return session.machine().state();
        }
        return gone() ? new SourceState.Completed(true) : new SourceState.Idle();
    }

    /** Its guest has left for good, in an earlier process's time or in this one's. */
    private boolean gone() {
        return store != null && store.state() instanceof StoreState.Gone;
    }

    @Override
    @Nullable
    SimStore store() {
        return store;
    }

    /** The process has ended: what it had in memory is gone with it. */
    void ended() {
        session = null;
        roles.clear();
    }

    /**
     * Another process begins with what the disk has, as an endpoint does with a parked guest.
     *
     * @throws StorageException if it cannot
     */
    void begin(SimStore kept) {
        ParkedGuest stored = kept.open();
        leaving = new SimUnparked(world, this, guest, kept, seams.pages());
        switch (stored.phase()) {
            case ParkedGuest.Parked _ -> guest.holder(SimGuest.Holder.HERE);
            case ParkedGuest.Empty _ -> guest.holder(SimGuest.Holder.GONE);
            case ParkedGuest.Leaving(Departure departure) -> {
                guest.holder(SimGuest.Holder.SWITCHING);
                session = SourceSession.interrupted(
                        world.sourceOptions(departure.nonce()),
                        parameters,
                        departure.postcopy() ? SourceState.Lost.POSTCOPY_UNPROVEN : SourceState.Lost.PRECOPY_UNPROVEN,
                        leaving.outgoing(),
                        host);
            }
            case ParkedGuest.Interrupted _ ->
                throw new Violation("the source's store says that its guest is still coming");
        }
    }

    /** As {@link SourceSession#unsent}; none where no migration was started. */
    long unsent() {
        return session == null ? 0 : session.unsent();
    }

    /** An operator has given the guest back by a word. */
    boolean resolvedHere() {
        return resolvedHere;
    }

    /** Migrations begun. */
    long attempts() {
        return attempts;
    }

    /** The role that the connection has, or null if it has none now. */
    @Nullable
    Channel role(int id) {
        return roles.get(id);
    }

    /**
     * An operator's word; migrate begins a session of its own, as the engine does.
     *
     * @return why it is refused, or null
     */
    @Nullable
    String operator(SourceInput input) {
        @Nullable String[] refusal = new @Nullable String[1];
        if (!alive()) {
            return world.refused("source", input, "there is no process");
        }
        event(null, () -> refusal[0] = say(input));
        return refusal[0];
    }

    private @Nullable String say(SourceInput input) {
        SourceSession current = session;
        long now = world.queue().now();
        if (input instanceof SourceInput.Migrate) {
            String refusal = current == null ? null : current.machine().refuse(input);
            refusal = refusal == null ? leaving.whyNot() : refusal;
            if (refusal != null) {
                return world.refused("source", input, refusal);
            }
            OutgoingGuest outgoing;
            try {
                outgoing = leaving.outgoing();
            } catch (StorageException e) {
                return world.refused("source", input, String.valueOf(e.getMessage()));
            }
            MigrationOptions options = world.sourceOptions((int) (attempts++ & 0xffff));
            current = new SourceSession(options, parameters, outgoing, host);
            session = current;
        }
        if (current == null) {
            return world.refused("source", input, "no migration was started");
        }
        if (seams.deafSource().test(current.machine().state(), input)) {
            return null;
        }
        String before = current.machine().fingerprint(now);
        if (input instanceof SourceInput.ResolveHere && current.machine().refuse(input) == null) {
            resolvedHere = true;
        }
        String refusal = current.operator(input, now);
        refusal = refusal == null ? null : seams.refusals().apply(refusal);
        if (refusal == null) {
            world.trace().event("operator", "source: " + input);
            if (input instanceof SourceInput.Pause || input instanceof SourceInput.Cancel) {
                world.faults().add(FaultKind.OPERATOR, "source");
            }
        } else if (!before.equals(current.machine().fingerprint(now))) {
            throw new Violation("a refused " + input + " changed the source: " + before + " became "
                    + current.machine().fingerprint(now));
        }
        return refusal == null ? null : world.refused("source", input, refusal);
    }

    /** The operator breaks the channels. */
    void yank() {
        event(null, () -> {
            if (session != null && session.yank(world.queue().now())) {
                world.trace().event("operator", "source: yank");
                world.faults().add(FaultKind.OPERATOR, "source");
            }
        });
    }

    void parameters(Parameters changed) {
        event("parameters " + changed, () -> {
            parameters = changed;
            if (session != null) {
                session.parameters(changed);
            }
        });
    }

    boolean holdsChannel() {
        return session != null && session.holdsChannel();
    }

    Parameters parameters() {
        return parameters;
    }

    /** The operator's cont or stop; refused as an endpoint refuses it. */
    void want(boolean run) {
        event(null, () -> {
            if (guest.holder() == SimGuest.Holder.HERE && store == null) {
                world.trace().event("operator", "source: " + (run ? "cont" : "stop"));
                guest.want(run);
            }
        });
    }

    @Override
    @Nullable
    Outbox outbox(int id) {
        return session == null ? null : session.outbox(id);
    }

    @Override
    boolean waits(int id) {
        return false;
    }

    @Override
    void connectedTo(int id) {
        if (session != null) {
            session.connected(id, world.queue().now());
        }
    }

    @Override
    void deliver(int id, ByteBuffer in) {
        if (session != null) {
            session.received(id, in, world.queue().now());
        }
    }

    @Override
    void inputEnded(int id) {}

    @Override
    void lost(int id, String reason) {
        SourceSession current = session;
        if (current != null
                && !seams.deafSource().test(current.machine().state(), new SourceInput.Broken(Channel.MAIN, reason))) {
            current.broken(id, reason, world.queue().now());
        }
    }

    @Override
    void wrote(int id) {
        if (session != null) {
            session.written(id, world.queue().now());
        }
    }

    @Override
    void produce() {
        if (session != null) {
            session.produce(world.queue().now());
        }
    }

    @Override
    long nextTick() {
        SourceSession current = session;
        if (seams.restless().test(state())) {
            return world.queue().now();
        }
        return current == null || seams.deafSource().test(current.machine().state(), new SourceInput.Tick())
                ? Long.MAX_VALUE
                : current.nextTick(world.queue().now());
    }

    @Override
    void tick() {
        SourceSession current = session;
        if (current != null && current.machine().nextTick() <= world.queue().now()) {
            current.tick(world.queue().now());
        }
    }

    @Override
    public int connect(Channel channel) {
        writeAll();
        Conn conn = add(SimLink.INITIATOR);
        roles.put(conn.id, channel);
        attach(conn, world.connect(channel, conn));
        return conn.id;
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
    public boolean confirms(int connection) {
        return false; // the simulated network is one
    }

    @Override
    public void endOutput(int connection) {
        throw new IllegalStateException("nothing here confirms");
    }

    @Override
    public void stopGuest(Departure departure) {
        world.trace().event("source", "the guest is to stop");
        leaving.stop(departure);
    }

    @Override
    public void resumeGuest() {
        world.trace().event("source", "the guest goes on here");
        leaving.giveBack();
    }

    @Override
    public MachineState machineState() {
        return leaving.state();
    }

    @Override
    public void keepShallow(int connection) {
        // The simulated queues are short anyway.
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        world.sourceStatus(from, to, reason);
        if (to == MigrationStatus.COMPLETED) {
            leaving.handedOver(!(state() instanceof SourceState.Completed(boolean confirmed)) || confirmed);
        }
    }

    @Override
    public void passStarted(long pass) {
        world.trace().event("source", "pass " + pass);
    }
}
