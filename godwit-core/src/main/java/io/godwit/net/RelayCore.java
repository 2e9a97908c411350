// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.net.Fault.Direction;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a {@link Relay} does on its thread; only what is volatile or a counter is read by others. */
final class RelayCore implements Handler {
    private final Reactor reactor;
    private final Address target;
    private final Consumer<RelayEvent> listener;
    private final Lane forward = new Lane(Direction.FORWARD);
    private final Lane back = new Lane(Direction.BACK);
    private final List<Relayed> all = new ArrayList<>();
    private final Deque<Ring> spareRings = new ArrayDeque<>();
    private volatile Address address;
    private volatile FaultPlan plan = FaultPlan.NONE;
    private volatile long accepted;
    private volatile int open;
    private @Nullable Listener ear;
    private boolean listens = true;

    RelayCore(Reactor reactor, Address listen, Address target, Consumer<RelayEvent> listener) {
        this.reactor = reactor;
        this.address = listen;
        this.target = target;
        this.listener = listener;
    }

    Address address() {
        return address;
    }

    Address target() {
        return target;
    }

    FaultPlan plan() {
        return plan;
    }

    RelayStats stats() {
        return new RelayStats(
                accepted, open, forward.passed.sum(), back.passed.sum(), forward.swallowed.sum(), back.swallowed.sum());
    }

    void setPlan(FaultPlan next) throws IOException {
        if (!next.equals(plan)) {
            listener.accept(new RelayEvent.FaultSet(next));
        }
        plan = next;
        long now = System.nanoTime();
        forward.set(next, now);
        back.set(next, now);
        for (Relayed one : List.copyOf(all)) {
            settle(one, now);
        }
        listenOrNot();
    }

    void listen(boolean on) throws IOException {
        listens = on;
        listenOrNot();
    }

    /** Breaks everything at once; what is on its way is lost. */
    void cut(String why) {
        cut(why, true);
    }

    private void cut(String why, boolean reset) {
        listener.accept(new RelayEvent.Cut(all.size(), why));
        for (Relayed one : List.copyOf(all)) {
            finish(one, "cut", reset);
        }
        reactor.purge();
    }

    /** Nanoseconds until a delay or a rate lets something pass; -1: only the sockets will tell. */
    long untilNextMove() {
        long least = Long.MAX_VALUE;
        long now = System.nanoTime();
        for (Relayed one : all) {
            least = Math.min(least, Math.min(nextMove(one.forward(), now), nextMove(one.back(), now)));
        }
        return least == Long.MAX_VALUE ? -1 : least;
    }

    private static long nextMove(@Nullable Flow flow, long now) {
        return flow == null ? Long.MAX_VALUE : flow.nextMove(now);
    }

    /** Moves what the time has released. */
    void pumpDue() {
        long now = System.nanoTime();
        for (int i = all.size() - 1; i >= 0 && i < all.size(); i--) {
            Relayed one = all.get(i);
            if (nextMove(one.forward(), now) == 0) {
                pump(one, one.forward(), now);
            }
            if (nextMove(one.back(), now) == 0) {
                pump(one, one.back(), now);
            }
        }
    }

    @Override
    public void accepted(Listener ignored, Connection client) {
        long number = accepted + 1;
        accepted = number;
        if (plan.has(Fault.Reset.class)) {
            listener.accept(new RelayEvent.Accepted(number, "reset"));
            client.close(true);
            return;
        }
        if (plan.has(Fault.Blackhole.class)) {
            listener.accept(new RelayEvent.Accepted(number, "swallowed by a black hole"));
            Relayed one = add(new Relayed(number, client, null));
            one.flows(new Flow(forward, client, null, ring()), null);
            return;
        }
        listener.accept(new RelayEvent.Accepted(number, "connecting to " + target));
        client.wantRead(false);
        Relayed one = add(new Relayed(number, client, reactor.connect(target)));
        if (one.target != null) {
            one.target.attach(one);
        }
    }

    private Relayed add(Relayed one) {
        one.client.attach(one);
        all.add(one);
        open = all.size();
        return one;
    }

    @Override
    public void connected(Connection connection) {
        Relayed one = of(connection);
        listener.accept(new RelayEvent.Connected(one.number));
        one.flows(new Flow(forward, one.client, connection, ring()), new Flow(back, connection, one.client, ring()));
        long now = System.nanoTime();
        pump(one, one.forward(), now);
        pump(one, one.back(), now);
    }

    @Override
    public void connectFailed(Connection connection, String reason) {
        Relayed one = of(connection);
        listener.accept(new RelayEvent.TargetFailed(one.number, reason));
        finish(one, "the target cannot be reached", false);
    }

    @Override
    public void readable(Connection connection) {
        Relayed one = of(connection);
        pump(one, one.from(connection), System.nanoTime());
    }

    @Override
    public void writable(Connection connection) {
        Relayed one = of(connection);
        pump(one, one.to(connection), System.nanoTime());
    }

    @Override
    public void broken(Connection connection, String reason) {
        Relayed one = of(connection);
        @Nullable Flow from = one.from(connection);
        @Nullable Flow to = one.to(connection);
        @Nullable Connection other = one.other(connection);
        if (from == null || !from.lane.swallows || other == null || !other.isOpen()) {
            finish(one, reason, false);
            return;
        }
        // Nothing of this direction gets through, so the other end must not learn of this either.
        from.loseSender();
        if (to != null) {
            to.loseReceiver();
            to.pump(System.nanoTime());
        }
    }

    @Override
    public void acceptFailed(Listener ignored, String reason) {
        listener.accept(new RelayEvent.Trouble(reason));
    }

    private static Relayed of(Connection connection) {
        if (connection.attachment() instanceof Relayed one) {
            return one;
        }
        throw new IllegalStateException("a connection that the relay does not know: " + connection);
    }

    private void pump(Relayed one, @Nullable Flow flow, long now) {
        if (flow == null) {
            return; // the target is not connected yet
        }
        flow.pump(now);
        if (flow.cutIsDue()) {
            flow.lane.cutIsDone();
            plan = plan.withoutCut(flow.lane.direction);
            // In order, not by a reset: exactly so many bytes shall arrive.
            cut("after the bytes that cut-after allowed " + flow.lane.direction, false);
            return;
        }
        @Nullable Flow there = one.forward();
        @Nullable Flow again = one.back();
        if (there != null && there.isOver() && again != null && again.isOver()) {
            finish(one, "both ends have finished", false);
        }
    }

    /** Brings a connection in line with new faults. */
    private void settle(Relayed one, long now) {
        if (isLost(one.forward()) || isLost(one.back()) || (one.target == null && !plan.has(Fault.Blackhole.class))) {
            finish(one, "cut, because bytes of it were swallowed", true);
            return;
        }
        pump(one, one.forward(), now);
        if (all.contains(one)) {
            pump(one, one.back(), now);
        }
    }

    private static boolean isLost(@Nullable Flow flow) {
        return flow != null && flow.isHoled() && !flow.lane.swallows;
    }

    private void finish(Relayed one, String reason, boolean reset) {
        if (!all.remove(one)) {
            return;
        }
        one.client.close(reset);
        if (one.target != null) {
            one.target.close(reset);
        }
        listener.accept(new RelayEvent.Closed(one.number, reason, release(one.forward()), release(one.back())));
        open = all.size(); // last: who sees it in the counters can rely on having been told
    }

    /** Takes the ring back for the next connection; returns what the flow has passed. */
    private long release(@Nullable Flow flow) {
        if (flow == null) {
            return 0;
        }
        flow.ring().clear();
        spareRings.push(flow.ring());
        return flow.passed();
    }

    private Ring ring() {
        @Nullable Ring spare = spareRings.poll();
        return spare == null ? new Ring(Relay.BUFFER_BYTES) : spare;
    }

    private void listenOrNot() throws IOException {
        boolean shall = listens && !plan.has(Fault.Refuse.class);
        @Nullable Listener now = ear;
        if (shall && now == null) {
            Listener opened = reactor.listen(address);
            ear = opened;
            address = opened.address();
            listener.accept(new RelayEvent.Listening(address));
        } else if (!shall && now != null) {
            now.close();
            ear = null;
            listener.accept(new RelayEvent.Deaf(address));
        }
    }
}
