// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.Link.Side;
import io.godwit.net.Connection;
import io.godwit.net.Handler;
import io.godwit.net.Listener;
import io.godwit.net.MigrationAddress;
import io.godwit.net.Reactor;
import io.godwit.net.TlsClient;
import io.godwit.protocol.Capability;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.Parameters;
import io.godwit.pump.Departure;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.Outbox;
import io.godwit.pump.SourceSession;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The one thread of an endpoint: it owns the migration's state, its sockets and its timers, and waits in one place for all of them. Sessions decide, this moves bytes.
 *
 * <p>Everything here but {@link #start} runs on that thread.
 */
final class EndpointLoop implements Handler {
    private static final System.Logger LOG = System.getLogger(EndpointLoop.class.getName());

    /** SO_SNDBUF of a channel on which urgent pages may have to wait behind others. */
    private static final int SHALLOW = 256 * 1024;

    /** Bytes read at once by a destination in postcopy. */
    private static final int POSTCOPY_READ = 64 * 1024;

    final Tenant tenant;
    final Mailbox mailbox;
    final CopyOnWriteArrayList<EndpointListener> listeners = new CopyOnWriteArrayList<>();
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    final Links links = new Links();
    final Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
    final Listening listening;
    final Migrations migrations = new Migrations(this);
    final HostSide host;
    final TlsObjects tls = new TlsObjects();

    final Reactor reactor;
    private final LongSupplier clock;
    private final long begun;
    final RandomGenerator random;
    private final ArrayDeque<Integer> again = new ArrayDeque<>();
    Parameters parameters = Parameters.DEFAULT;

    @Nullable
    SourceSession source;

    @Nullable
    DestinationSession destination;

    /** An earlier process had let the guest go; nobody has asked to recover that yet. */
    @Nullable
    Departure interrupted;

    private final @Nullable GuestSwitch guestSwitch;
    private boolean finishing;

    /** How the loop's guest is made, with what it needs of the loop. */
    interface Furnishing {
        Tenant tenant(EndpointLoop loop);
    }

    EndpointLoop(Furnishing furnishing, LongSupplier clock, RandomGenerator random) throws IOException {
        this.clock = clock;
        this.begun = clock.getAsLong();
        this.random = random;
        this.reactor = new Reactor();
        this.listening = new Listening(reactor);
        this.mailbox = new Mailbox(reactor::wakeup);
        this.host = new HostSide(this);
        this.tenant = furnishing.tenant(this);
        this.guestSwitch = tenant.custody() instanceof GuestSwitch embedded ? embedded : null;
    }

    void start(String name) {
        Thread thread = Thread.ofPlatform().name("godwit-loop-" + name).unstarted(this::run);
        mailbox.ownedBy(thread);
        thread.start();
    }

    /** Nanoseconds since the endpoint began: never negative, as the machines want it. */
    long now() {
        return clock.getAsLong() - begun;
    }

    private void run() {
        try {
            while (!finishing) {
                try {
                    turn();
                } catch (RuntimeException | Error e) {
                    defect(e);
                }
            }
        } finally {
            mailbox.close();
            finish();
        }
    }

    private void turn() {
        mailbox.drain();
        if (finishing) {
            return;
        }
        if (mailbox.takeGuestStopped() && guestSwitch != null && guestSwitch.stopEnded()) {
            guestStopped();
        }
        while (!again.isEmpty()) {
            Link held = links.get(again.remove());
            if (held != null) {
                deliver(held);
            }
        }
        produceAndWrite();
        long now = now();
        reactor.poll(Math.max(0, Math.min(nextTick(now) - now, Integer.MAX_VALUE * 1_000_000L)), this);
        tick(now());
    }

    /** The guest stands, as the migration wanted. */
    void guestStopped() {
        if (source != null) {
            source.guestStopped(now());
        }
    }

    /** It does not, and why. */
    void guestNotStopped(String reason) {
        if (source != null) {
            source.guestNotStopped(reason, now());
        }
    }

    /**
     * A defect of ours must not cost a guest: the channels are given up, which leads to failed before the commit point and to paused behind it. Nothing leaves
     * this method, or the loop would end and the guest with it.
     */
    private void defect(Throwable e) {
        LOG.log(System.Logger.Level.ERROR, "a defect in Godwit: the channels are given up, nothing is thrown away", e);
        for (Link link : links.all()) {
            try {
                links.abort(link.id, "internal error");
                lost(link, "internal error: " + e);
            } catch (RuntimeException | Error again) {
                LOG.log(System.Logger.Level.ERROR, "another defect while a channel was given up", again);
            }
        }
        tell(listener -> listener.notice("internal error, the channels were given up: " + e));
    }

    private void produceAndWrite() {
        long now = now();
        SourceSession out = source;
        if (out != null) {
            out.produce(now);
        }
        DestinationSession in = destination;
        if (in != null) {
            in.produce(now);
        }
        for (Link link : links.now()) {
            write(link, now);
        }
    }

    private void write(Link link, long now) {
        Outbox box = outbox(link);
        if (!link.established || box == null || box.pending() == 0) {
            return;
        }
        long before = box.written();
        Links.write(link.connection, box);
        if (link.side == Side.SOURCE && source != null && box.written() != before) {
            source.written(link.id, now);
        }
    }

    private @Nullable Outbox outbox(Link link) {
        SourceSession out = source;
        DestinationSession in = destination;
        return switch (link.side) {
            case SOURCE -> out == null ? null : out.outbox(link.id);
            case DESTINATION -> in == null ? null : in.outbox(link.id);
            case LEAVING -> null;
        };
    }

    private long nextTick(long now) {
        long next = links.nextLeave();
        SourceSession out = source;
        if (out != null) {
            next = Math.min(next, out.nextTick(now));
        }
        DestinationSession in = destination;
        if (in != null) {
            next = Math.min(next, in.nextTick());
        }
        return next == Long.MIN_VALUE ? now : next;
    }

    private void tick(long now) {
        SourceSession out = source;
        if (out != null && out.machine().nextTick() <= now) {
            out.tick(now);
        }
        DestinationSession in = destination;
        if (in != null && in.nextTick() <= now) {
            in.tick(now);
        }
        if (in != null) {
            boolean postcopy = in.machine().state() instanceof DestinationState.PostcopyActive;
            if (postcopy || in.machine().state() instanceof DestinationState.Active) {
                tenant.receiving(postcopy, now);
            }
        }
        if (links.nextLeave() <= now) {
            links.expire(now);
        }
    }

    /** Begins to connect for the source; the main channel's bytes go first. */
    int connect(MigrationAddress target, @Nullable TlsClient tls) {
        for (Link link : links.all()) {
            if (link.side == Side.SOURCE) {
                write(link, now());
            }
        }
        return links.add(reactor.connect(target, tls), Side.SOURCE).id;
    }

    void keepShallow(int id) {
        Link link = links.get(id);
        if (link != null && link.established) {
            link.connection.setSendBuffer(SHALLOW);
        }
    }

    /** Bytes that were left for later may have their time now. */
    void again(int id) {
        again.add(id);
        reactor.wakeup();
    }

    @Override
    public void accepted(Listener listener, Connection connection) {
        DestinationSession in = destination;
        if (in == null) {
            connection.abort("no migration is awaited");
            return;
        }
        arrived(links.add(connection, Side.DESTINATION));
    }

    /** Begins to open what is no socket, for the destination. */
    void receive(MigrationAddress.Local from) {
        links.add(reactor.receive(from), Side.DESTINATION);
    }

    private void arrived(Link link) {
        DestinationSession in = destination;
        if (in != null) {
            link.established = true;
            in.accepted(link.id, link.connection.peer(), now());
        }
    }

    @Override
    public void connected(Connection connection) {
        Link link = Links.of(connection);
        if (link != null && link.side == Side.DESTINATION) {
            arrived(link);
        } else if (link != null && source != null) {
            link.established = true;
            source.connected(link.id, now());
        }
    }

    @Override
    public void connectFailed(Connection connection, String reason) {
        broken(connection, reason);
    }

    @Override
    public void broken(Connection connection, String reason) {
        Link link = Links.of(connection);
        if (link != null) {
            links.forget(link);
            lost(link, reason);
        }
    }

    void onlyOneLost(int link, String reason) {
        if (destination != null) {
            destination.onlyOneLost(link, reason, now());
        }
    }

    private void lost(Link link, String reason) {
        SourceSession out = source;
        DestinationSession in = destination;
        if (link.side == Side.SOURCE && out != null) {
            out.broken(link.id, reason, now());
        } else if (link.side == Side.DESTINATION && in != null) {
            if (link.connection.confirms()) {
                in.onlyOneLost(link.id, reason, now());
            } else {
                in.broken(link.id, reason, now());
            }
        }
    }

    @Override
    public void writable(Connection connection) {
        Link link = Links.of(connection);
        if (link == null) {
            return;
        }
        if (link.side == Side.LEAVING) {
            links.seeOff(link, now());
        } else {
            write(link, now());
        }
    }

    @Override
    public void acceptFailed(Listener listener, String reason) {
        tell(each -> each.notice(reason));
    }

    @Override
    public void refused(Listener listener, String reason) {
        if (destination != null) {
            destination.stray();
        }
        tell(each -> each.notice(reason));
    }

    @Override
    public void readable(Connection connection) {
        Link link = Links.of(connection);
        if (link == null) {
            return;
        }
        if (link.side == Side.LEAVING) {
            links.seeOff(link, now());
            return;
        }
        int bytes = read(link);
        deliver(link);
        SourceSession out = source;
        boolean awaited = bytes < 0 && link.side == Side.SOURCE && out != null && out.ended(link.id, now());
        if (bytes < 0 && !awaited && Links.of(connection) == link) {
            links.forget(link);
            lost(link, connection.confirms() ? connection.peer() + " has ended" : connection.endWords());
            connection.close();
        }
    }

    /**
     * Reads once. While a guest may wait for a page, little at a time: its requests go out, and the preempt channel is looked at, between two reads.
     */
    private int read(Link link) {
        DestinationSession in = destination;
        if (link.side == Side.DESTINATION && in != null && in.machine().requests()) {
            link.in.limit(Math.min(link.in.capacity(), link.in.position() + POSTCOPY_READ));
        }
        int bytes = link.connection.read(link.in);
        link.in.limit(link.in.capacity());
        return bytes;
    }

    private void deliver(Link link) {
        link.in.flip();
        SourceSession out = source;
        DestinationSession in = destination;
        if (link.side == Side.SOURCE && out != null) {
            out.received(link.id, link.in, now());
        } else if (link.side == Side.DESTINATION && in != null) {
            in.received(link.id, link.in, now());
        }
        link.in.compact();
        boolean waits = link.side == Side.DESTINATION && in != null && in.waits(link.id);
        boolean held = waits || !link.in.hasRemaining();
        if (held != link.held && Links.of(link.connection) == link) {
            link.held = held;
            link.connection.wantRead(!held);
        }
    }

    void tell(Consumer<EndpointListener> event) {
        for (EndpointListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.ERROR, "a listener failed; the migration goes on", e);
            }
        }
    }

    void guestTold(boolean running) {
        tell(running ? EndpointListener::guestResumed : EndpointListener::guestStopped);
    }

    void end(String reason) {
        finishing = true;
        tell(listener -> listener.shutdown(reason));
    }

    private void finish() {
        CompletableFuture<Void> guestEnded = new CompletableFuture<>();
        try (reactor) {
            mailbox.drain();
            tenant.close(failure -> {
                if (failure == null) {
                    guestEnded.complete(null);
                } else {
                    guestEnded.completeExceptionally(failure);
                }
            });
            listening.close();
        } catch (RuntimeException | Error e) {
            ended.completeExceptionally(e);
            throw e;
        }
        var _ = guestEnded.whenComplete((_, failure) -> {
            if (failure == null) {
                ended.complete(null);
            } else {
                ended.completeExceptionally(failure);
            }
        });
    }
}
