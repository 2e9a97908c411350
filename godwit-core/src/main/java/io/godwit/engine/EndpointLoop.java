// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.Reactor;
import io.godwit.protocol.Capability;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.Parameters;
import io.godwit.pump.Departure;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.SourceSession;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The one thread of an endpoint: it owns the migration's state, its sockets and its timers, and waits in one place for all of them. Sessions decide, {@link Traffic} moves bytes.
 *
 * <p>Everything here but {@link #start} runs on that thread.
 */
final class EndpointLoop {
    private static final System.Logger LOG = System.getLogger(EndpointLoop.class.getName());

    final Tenant tenant;
    final Mailbox mailbox;
    final CopyOnWriteArrayList<EndpointListener> listeners = new CopyOnWriteArrayList<>();
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    final Links links = new Links();
    final Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
    final Listening listening;
    final Migrations migrations = new Migrations(this);
    final HostSide host;
    final Traffic traffic;
    final TlsObjects tls = new TlsObjects();

    final Reactor reactor;
    private final LongSupplier clock;
    private final long begun;
    final RandomGenerator random;
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
        this.traffic = new Traffic(this);
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
        traffic.deliverHeld();
        produceAndWrite();
        long now = now();
        reactor.poll(Math.max(0, Math.min(nextTick(now) - now, Integer.MAX_VALUE * 1_000_000L)), traffic);
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
                traffic.lost(link, "internal error: " + e);
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
        traffic.write(now);
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
