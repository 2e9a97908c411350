// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.Guest;
import io.godwit.guest.ParkedGuest;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsCredentials;
import io.godwit.protocol.Capability;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One guest and its migrations: what a QEMU process is to its monitor. Runs one thread of its own, the loop. All methods may be called from any thread; see
 * {@link EndpointControl} for what they promise.
 */
public final class Endpoint implements EndpointControl, AutoCloseable {
    private final EndpointLoop loop;
    private final boolean forIncoming;
    /** The session for whose sake a quit was refused: that of another migration has to be asked about again. */
    private @Nullable Object quitRefusedFor;

    private Endpoint(EndpointLoop loop, boolean forIncoming) {
        this.loop = loop;
        this.forIncoming = forIncoming;
    }

    /**
     * An endpoint whose guest is here and stopped: {@link #cont} runs it.
     *
     * @param name for thread names and logs
     * @param clock monotonic nanoseconds
     */
    public static Endpoint withGuest(String name, Guest guest, LongSupplier clock, RandomGenerator random)
            throws IOException {
        return open(name, guest, clock, random, false);
    }

    /** An endpoint whose guest will come by {@link #migrateIncoming}; until then it does not run. */
    public static Endpoint forIncoming(String name, Guest guest, LongSupplier clock, RandomGenerator random)
            throws IOException {
        return open(name, guest, clock, random, true);
    }

    private static Endpoint open(String name, Guest guest, LongSupplier clock, RandomGenerator random, boolean incoming)
            throws IOException {
        EndpointLoop loop = new EndpointLoop(it -> embedded(it, guest), clock, random);
        if (incoming) {
            loop.tenant.custody().await();
        }
        loop.start(name);
        return new Endpoint(loop, incoming);
    }

    private static Tenant embedded(EndpointLoop loop, Guest guest) {
        guest.memory().requests().wakeWith(loop.reactor::wakeup);
        return new EmbeddedTenant(guest, new GuestSwitch(guest, loop::guestTold, loop.mailbox::guestStopped));
    }

    /**
     * An endpoint whose guest is parked, or will be: where it stands is what the guest says of itself. An empty one waits for {@link #migrateIncoming}; a parked one leaves by
     * {@link #migrate}, with capability postcopy-ram at once by postcopy; one that an earlier process received in postcopy is paused until {@link #migrateRecover} and its source; one
     * that an earlier process let go is uncertain, until {@link #migrate} with resume or {@link #migrateResolve}.
     *
     * @param guest used and closed by the endpoint's threads from now on
     * @param unsafe take also what comes without a return path: the source then takes itself for done before anything is durable here
     */
    public static Endpoint parking(
            String name, ParkedGuest guest, boolean unsafe, LongSupplier clock, RandomGenerator random)
            throws IOException {
        DiskWorker worker = new DiskWorker("disk-" + name);
        DiskWorker writer = new DiskWorker("write-" + name);
        EndpointLoop loop = new EndpointLoop(
                it -> new ParkedTenant(
                        guest,
                        unsafe,
                        worker,
                        writer,
                        it.mailbox::answer,
                        it::guestStopped,
                        it::guestNotStopped,
                        text -> it.tell(listener -> listener.notice(text))),
                clock,
                random);
        boolean incoming = loop.migrations.parked(guest.phase(), (ParkedTenant) loop.tenant);
        worker.start();
        writer.start();
        loop.start(name);
        return new Endpoint(loop, incoming);
    }

    /** Completes once the endpoint has ended and everything of it is closed. */
    public CompletableFuture<Void> ended() {
        return loop.ended;
    }

    @Override
    public void migrate(MigrationAddress target, boolean resume) throws CommandRefused {
        loop.mailbox.call(() -> {
            if (resume) {
                loop.migrations.resume(target);
            } else {
                loop.migrations.start(target);
            }
            return true;
        });
    }

    @Override
    public void migrateIncoming(MigrationAddress listen) throws CommandRefused {
        loop.mailbox.call(() -> {
            if (!forIncoming) {
                throw new CommandRefused(
                        "this endpoint was not started for an incoming migration: start it with --incoming defer");
            }
            loop.migrations.incoming(listen);
            return true;
        });
    }

    @Override
    public void migrateRecover(MigrationAddress listen) throws CommandRefused {
        loop.mailbox.call(() -> {
            loop.migrations.recover(listen);
            return true;
        });
    }

    @Override
    public void migratePause() throws CommandRefused {
        loop.mailbox.call(() -> {
            if (loop.source != null) {
                Migrations.refuse(loop.source.operator(new SourceInput.Pause(), loop.now()));
            } else if (loop.destination != null) {
                Migrations.refuse(loop.destination.operator(new DestinationInput.Pause(), loop.now()));
            } else {
                throw new CommandRefused(
                        "migrate-pause works in postcopy-active and postcopy-recover; there is no migration");
            }
            return true;
        });
    }

    @Override
    public void yank() throws CommandRefused {
        loop.mailbox.call(() -> {
            boolean broken = (loop.source != null && loop.source.yank(loop.now()))
                    || (loop.destination != null && loop.destination.yank(loop.now()));
            if (!broken) {
                throw new CommandRefused("there is no channel that could be broken");
            }
            return true;
        });
    }

    @Override
    public void migrateCancel() throws CommandRefused {
        loop.mailbox.call(() -> {
            if (loop.source != null) {
                Migrations.refuse(loop.source.operator(new SourceInput.Cancel(), loop.now()));
            } else if (loop.destination != null && loop.destination.machine().holdsGuestData()) {
                throw new CommandRefused(
                        "the guest runs here on memory that is still at its source: cancelling would lose it");
            }
            return true;
        });
    }

    @Override
    public void migrateContinue(String status) throws CommandRefused {
        loop.mailbox.call(() -> {
            var session = loop.source;
            String current =
                    session == null ? "none" : session.machine().status().word();
            if (session == null || !current.equals(status)) {
                throw new CommandRefused("the migration is in state " + current + ", not in " + status);
            }
            Migrations.refuse(session.operator(new SourceInput.Continue(), loop.now()));
            return true;
        });
    }

    @Override
    public void migrateStartPostcopy() throws CommandRefused {
        loop.mailbox.call(() -> {
            if (loop.source == null) {
                throw new CommandRefused(
                        "there is no running migration that could be switched to postcopy: start one with migrate");
            }
            Migrations.refuse(loop.source.operator(new SourceInput.StartPostcopy(), loop.now()));
            return true;
        });
    }

    @Override
    public void migrateResolve(Owner owner) throws CommandRefused {
        loop.mailbox.call(() -> {
            if (loop.source == null) {
                throw new CommandRefused("there is no uncertain migration here: none was started");
            }
            SourceInput word = switch (owner) {
                case SOURCE -> new SourceInput.ResolveHere();
                case DESTINATION -> new SourceInput.ResolveThere();
                case DESTINATION_WHOLE -> new SourceInput.ResolveWhole(loop.source.unsent());
            };
            Migrations.refuse(loop.source.operator(word, loop.now()));
            return true;
        });
    }

    @Override
    public Set<Capability> capabilities() {
        return answer(() ->
                loop.capabilities.isEmpty() ? EnumSet.noneOf(Capability.class) : EnumSet.copyOf(loop.capabilities));
    }

    @Override
    public void setCapabilities(Map<Capability, Boolean> changes) throws CommandRefused {
        loop.mailbox.call(() -> {
            // Whether events are sent is nothing to the peer; who goes on with a store after a restart can only say so
            // now.
            boolean telling = Set.of(Capability.EVENTS).containsAll(changes.keySet());
            if (InfoBuilder.running(loop) && loop.interrupted == null && !telling) {
                throw new CommandRefused("capabilities cannot be changed while a migration is under way");
            }
            changes.forEach((capability, on) -> {
                if (on) {
                    loop.capabilities.add(capability);
                } else {
                    loop.capabilities.remove(capability);
                }
            });
            Set<Capability> enabled = capabilities();
            loop.tell(listener -> listener.capabilitiesChanged(enabled));
            return true;
        });
    }

    @Override
    public Parameters parameters() {
        return answer(() -> loop.parameters);
    }

    @Override
    public void setParameters(UnaryOperator<Parameters> change) throws CommandRefused {
        loop.mailbox.call(() -> {
            Parameters next = change.apply(loop.parameters);
            if (!next.tls().equals(loop.parameters.tls())) {
                loop.tls.check(next.tls());
                if (loop.tls.changesServer(next.tls())) {
                    loop.listening.secure(loop.tls.get(next.tls()));
                }
            }
            loop.parameters = next;
            if (loop.source != null) {
                loop.source.parameters(loop.parameters);
            }
            if (loop.destination != null) {
                loop.destination.parameters(loop.parameters);
            }
            return true;
        });
    }

    @Override
    public void addCredentials(String id, TlsCredentials credentials) throws CommandRefused {
        loop.mailbox.call(() -> {
            loop.tls.add(id, credentials);
            return true;
        });
    }

    @Override
    public void removeCredentials(String id) throws CommandRefused {
        loop.mailbox.call(() -> {
            loop.tls.remove(id, loop.parameters.tls());
            return true;
        });
    }

    @Override
    public MigrationInfo info() {
        return answer(() -> InfoBuilder.build(loop));
    }

    @Override
    public String runState() {
        return answer(() -> loop.tenant.custody().runState());
    }

    @Override
    public void stop() throws CommandRefused {
        loop.mailbox.call(() -> {
            loop.tenant.custody().stop();
            return true;
        });
    }

    @Override
    public void cont() throws CommandRefused {
        loop.mailbox.call(() -> {
            Migrations.refuse(loop.tenant.custody().whyNeverRun());
            switch (loop.tenant.custody().holder()) {
                case HERE -> loop.tenant.custody().run();
                case AWAITED -> throw new CommandRefused("the guest is not here yet: an incoming migration brings it");
                case SWITCHING ->
                    throw new CommandRefused(
                            loop.source != null && loop.source.machine().committed()
                                    ? "the guest was handed to the destination: running it here, too, would give two of it"
                                    : "the guest is stopped for the switchover of a migration: cancel that first");
                case GONE -> throw new CommandRefused("the guest was migrated away and is the destination's now");
            }
            return true;
        });
    }

    @Override
    public void quit(String reason) throws CommandRefused {
        loop.mailbox.call(() -> {
            String loss = InfoBuilder.whatWouldBeLost(loop);
            Object holding = loop.source == null ? loop.destination : loop.source;
            if (loss != null && !Objects.equals(quitRefusedFor, holding)) {
                quitRefusedFor = holding;
                throw new CommandRefused(loss + ": recover the migration first, or say it once more to lose the guest");
            }
            loop.end(reason);
            return true;
        });
    }

    @Override
    public void pmemsave(long address, long size, Path file) throws CommandRefused, IOException {
        loop.tenant.writeMemory(file, address, size);
    }

    @Override
    public void addListener(EndpointListener listener) {
        answer(() -> {
            loop.listeners.add(listener);
            listener.capabilitiesChanged(capabilities());
            return true;
        });
    }

    @Override
    public void removeListener(EndpointListener listener) {
        loop.listeners.remove(listener);
    }

    /** Ends the endpoint whatever it holds, and waits until everything is closed. */
    @Override
    public void close() {
        try {
            loop.mailbox.call(() -> {
                loop.end("host-qmp-quit");
                return true;
            });
        } catch (CommandRefused e) {
            // It has ended already, which is what is wanted here.
            @Nullable Throwable none = e.getCause();
            if (none != null) {
                throw new IllegalStateException("the endpoint could not be closed", none);
            }
        }
        loop.ended.join();
    }

    private <T> T answer(Mailbox.Request<T> question) {
        try {
            return loop.mailbox.call(question);
        } catch (CommandRefused e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
