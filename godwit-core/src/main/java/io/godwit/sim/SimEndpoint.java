// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.pump.Outbox;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One endpoint's loop over simulated connections: what {@code io.godwit.engine} does with sockets. Each event is followed by a turn: deadlines are looked
 * at, the session produces, bytes are moved, and the next turn is scheduled for when the session wants it.
 */
abstract class SimEndpoint {
    private static final long LEAVE_NANOS = 2_000_000_000L;
    private static final int BUFFER = 32 * 1024;
    /** A loop that turns more often than this in so many nanoseconds, and moves nothing, spins. */
    private static final int MOST_IDLE_TURNS = 1_000;

    private static final long IDLE_NANOS = 2_000_000;

    /** One connection of this endpoint. */
    final class Conn implements SimLink.Holder {
        final int id;
        final int end;
        private final ByteBuffer in = ByteBuffer.allocate(BUFFER);
        private @Nullable SimLink link;
        private @Nullable Outbox rest;
        private boolean established;
        private boolean leaving;
        private boolean outputShut;
        private boolean open = true;
        private long leaveBy = Long.MAX_VALUE;

        private Conn(int id, int end) {
            this.id = id;
            this.end = end;
        }

        boolean leaving() {
            return leaving;
        }

        SimLink link() {
            SimLink it = link;
            if (it == null) {
                throw new IllegalStateException("used before it was connected");
            }
            return it;
        }

        @Override
        public void connected() {
            event(link() + ": connected", () -> {
                established = true;
                connectedTo(id);
            });
        }

        @Override
        public void readable() {
            event(null, () -> read(this));
        }

        @Override
        public void writable() {
            event(null, () -> {});
        }

        @Override
        public void broken(String reason) {
            event(link() + ": " + reason, () -> {
                if (forget(this)) {
                    lost(id, reason);
                }
            });
        }
    }

    final World world;
    private final String name;
    private final Map<Integer, Conn> conns = new TreeMap<>();
    private int lastId;
    private long turnAt = Long.MAX_VALUE;
    private long idleTurns;
    private long idleSince;
    private long movedBefore;
    private boolean alive = true;

    SimEndpoint(String name, World world) {
        this.name = name;
        this.world = world;
    }

    String name() {
        return name;
    }

    List<Conn> connections() {
        return List.copyOf(conns.values());
    }

    /** Bytes of this connection that wait to be written, or null if the session knows it not (or not any more). */
    abstract @Nullable Outbox outbox(int id);

    /** Whether nothing is to be read from the connection now. */
    abstract boolean waits(int id);

    abstract void connectedTo(int id);

    abstract void deliver(int id, ByteBuffer in);

    /** The peer has ended its direction in order, and all that it wrote was delivered; mostly {@link #lost} follows. */
    abstract void inputEnded(int id);

    abstract void lost(int id, String reason);

    abstract void wrote(int id);

    abstract void produce();

    abstract long nextTick();

    abstract void tick();

    /** Whether there is a process. */
    final boolean alive() {
        return alive;
    }

    /** A new process is there. */
    final void born() {
        alive = true;
    }

    /**
     * The process is no more: its connections end, and nothing that was to happen in it happens.
     *
     * @param silently its machine is no more either, so nobody is told
     */
    final void die(boolean silently) {
        alive = false;
        turnAt = Long.MAX_VALUE;
        for (Conn conn : connections()) {
            conn.open = false;
            if (silently) {
                conn.link().vanish(conn.end);
            } else {
                conn.link().close(conn.end);
            }
        }
        conns.clear();
    }

    /** Something happens here. */
    final void event(@Nullable String what, Runnable action) {
        if (!alive) {
            return;
        }
        if (what != null) {
            world.trace().event(name, what);
        }
        try {
            action.run();
            turn();
        } catch (PowerLoss _) {
            SimStore kept = store();
            world.lives().processEnds(this, kept != null && kept.takesMachine(), "in the middle of a call to its disk");
        }
        world.check();
    }

    /** What keeps its guest, or null if that lives in the process. */
    abstract @Nullable SimStore store();

    private void turn() {
        if (nextTick() <= world.queue().now()) {
            tick();
        }
        produce();
        for (Conn conn : connections()) {
            write(conn);
        }
        schedule();
    }

    private void schedule() {
        long now = world.queue().now();
        long next = nextTick();
        for (Conn conn : conns.values()) {
            next = Math.min(next, conn.leaveBy);
        }
        // A loop takes a moment for each turn.
        long at = Math.max(next, now + 1_000);
        if (next != Long.MAX_VALUE && at < turnAt) {
            turnAt = at;
            world.queue().after(at - now, () -> {
                if (turnAt == world.queue().now()) {
                    turnAt = Long.MAX_VALUE;
                    spins();
                    expire();
                    event(null, () -> {});
                }
            });
        }
    }

    private void spins() {
        long now = world.queue().now();
        if (world.moved() != movedBefore || now - idleSince > IDLE_NANOS) {
            movedBefore = world.moved();
            idleSince = now;
            idleTurns = 0;
        } else if (++idleTurns > MOST_IDLE_TURNS) {
            throw new Violation("the loop of the " + name + " turns and turns, and nothing comes of it");
        }
    }

    private void expire() {
        for (Conn conn : connections()) {
            if (world.queue().now() >= conn.leaveBy) {
                forget(conn);
                conn.link().close(conn.end);
            }
        }
    }

    /** A connection of which this endpoint hears from now on. */
    final Conn add(int end) {
        Conn conn = new Conn(++lastId, end);
        conns.put(conn.id, conn);
        return conn;
    }

    /** Accepts a connection. */
    final Conn accepted(SimLink link) {
        Conn conn = add(SimLink.ACCEPTOR);
        conn.link = link;
        conn.established = true;
        link.hold(SimLink.ACCEPTOR, conn);
        return conn;
    }

    final void attach(Conn conn, SimLink link) {
        conn.link = link;
    }

    final void writeAll() {
        for (Conn conn : connections()) {
            write(conn);
        }
    }

    private void write(Conn conn) {
        Outbox box = conn.leaving ? conn.rest : outbox(conn.id);
        if (!conn.established || !conn.open || box == null || conn.outputShut) {
            return;
        }
        long before = box.written();
        ByteBuffer head;
        while ((head = box.head()) != null) {
            int start = head.position();
            int n = conn.link().write(conn.end, head);
            if (n == 0) {
                break;
            }
            world.wire(this, conn, head, start, n);
            box.advance(n);
        }
        if (!conn.leaving && box.written() != before) {
            wrote(conn.id);
        }
        if (conn.leaving && box.pending() == 0) {
            conn.outputShut = true;
            conn.link().shutdownOutput(conn.end);
        }
    }

    private void read(Conn conn) {
        if (!conn.open) {
            return;
        }
        if ((!conn.in.hasRemaining() || waits(conn.id)) && !conn.leaving) {
            return;
        }
        if (conn.leaving) {
            conn.in.clear();
        }
        int n = conn.link().read(conn.end, conn.in);
        if (conn.leaving) {
            if (n < 0 && conn.outputShut) {
                forget(conn);
                conn.link().close(conn.end);
            }
            return;
        }
        offer(conn);
        if (n < 0) {
            inputEnded(conn.id);
        }
        if (n < 0 && conn.open && !conn.leaving) {
            forget(conn);
            world.trace().event(name, conn.link() + ": the peer ended the connection");
            lost(conn.id, "the peer ended the connection");
            conn.link().close(conn.end);
        }
    }

    /** Gives the session what was read, and what it left before. */
    private void offer(Conn conn) {
        boolean full = !conn.in.hasRemaining();
        conn.in.flip();
        deliver(conn.id, conn.in);
        conn.in.compact();
        if (full && conn.in.hasRemaining() && conn.open) {
            world.queue().after(0, conn::readable);
        }
    }

    /** What was left for later may have its time now. */
    final void offerAgain(int id) {
        world.queue().after(1_000, () -> {
            Conn conn = conns.get(id);
            if (conn != null && !conn.leaving && alive) {
                event(conn.link() + ": looked at again", () -> {
                    offer(conn);
                    // It may not have been read from, and nobody says twice that there is something.
                    world.queue().after(0, conn::readable);
                });
            }
        });
    }

    private boolean forget(Conn conn) {
        conn.open = false;
        return conns.remove(conn.id) != null && !conn.leaving;
    }

    final void abortConnection(int id, String reason) {
        Conn conn = conns.get(id);
        if (conn != null) {
            world.trace().event(name, conn.link() + ": aborted, " + reason);
            forget(conn);
            conn.link().close(conn.end);
        }
    }

    final void leave(int id, Outbox rest) {
        Conn old = conns.get(id);
        if (old != null) {
            world.trace().event(name, old.link() + ": leaves in good order");
            old.leaving = true;
            old.rest = rest;
            old.leaveBy = world.queue().now() + LEAVE_NANOS;
            write(old);
        }
    }
}
