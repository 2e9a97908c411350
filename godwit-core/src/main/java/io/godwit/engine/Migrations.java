// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.Listening.Purpose;
import io.godwit.guest.ParkedGuest;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsClient;
import io.godwit.net.TlsCredentials;
import io.godwit.page.BlockTable;
import io.godwit.protocol.Capability;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Departure;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.SourceSession;
import io.godwit.pump.StorageException;
import io.godwit.pump.StreamIdentity;
import io.godwit.wire.StreamContext;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** How an endpoint's migrations and recoveries begin: whether they may, and with what session. Used by the loop only. */
final class Migrations {
    private final EndpointLoop loop;

    Migrations(EndpointLoop loop) {
        this.loop = loop;
    }

    static void refuse(@Nullable String reason) throws CommandRefused {
        if (reason != null) {
            throw new CommandRefused(reason);
        }
    }

    /** A new outgoing migration. */
    void start(MigrationAddress target) throws CommandRefused {
        SourceSession last = loop.source;
        if (last != null) {
            refuse(last.machine().refuse(new SourceInput.Migrate()));
        }
        DestinationSession in = loop.destination;
        if (in != null && in.machine().status() != MigrationStatus.COMPLETED) {
            throw new CommandRefused("the guest is not here: an incoming migration is in "
                    + in.machine().status());
        }
        if (loop.tenant.custody().holder() == Custody.Holder.AWAITED) {
            throw new CommandRefused("the guest is not here: an incoming migration has to bring it first");
        }
        refuse(loop.tenant.whyNotMigrate());
        OutgoingGuest guest = outgoing();
        MigrationOptions options = options(guest, loop.random.nextInt(1 << 16));
        if (options.compress()) {
            throw new CommandRefused(
                    "capability compress is for a migration that comes from QEMU 9.0 or older: nothing is"
                            + " sent compressed, switch it off");
        }
        refuse(OneStream.whyNotTo(target, options));
        TlsClient tls = loop.tls.client(loop.parameters.tls(), target);
        if (tls != null && !options.returnPath()) {
            // In TLS 1.3 a client's handshake is over before its certificate was looked at (RFC 8446 §4.4.3), and what
            // it sends is taken by its kernel.
            throw new CommandRefused(
                    "tls-creds needs the capability return-path: without it a guest could count as moved to a"
                            + " destination that has refused this side's certificate");
        }
        loop.host.target(target, tls);
        SourceSession fresh = new SourceSession(options, loop.parameters, guest, loop.host);
        loop.source = fresh;
        refuse(fresh.operator(new SourceInput.Migrate(loop.tenant.atOnce(options)), loop.now()));
    }

    private OutgoingGuest outgoing() throws CommandRefused {
        try {
            return loop.tenant.outgoing();
        } catch (StorageException e) {
            throw new CommandRefused(String.valueOf(e.getMessage()), e);
        }
    }

    /** A recovery of the paused outgoing migration. */
    void resume(MigrationAddress target) throws CommandRefused {
        SourceSession paused = loop.source;
        if (paused == null) {
            throw new CommandRefused("there is no paused migration to resume: none was started here");
        }
        refuse(paused.machine().refuse(new SourceInput.Resume()));
        Departure departure = loop.interrupted;
        if (departure != null) {
            // The capabilities of the earlier process are the operator's to set again, and now they count.
            paused = interrupted(departure);
            loop.source = paused;
            loop.interrupted = null;
        }
        refuse(OneStream.whyNotTo(target, paused.machine().options()));
        loop.host.target(target, loop.tls.client(loop.parameters.tls(), target));
        refuse(paused.operator(new SourceInput.Resume(), loop.now()));
    }

    /** Waits for a source, with the capabilities as they are now. */
    void incoming(MigrationAddress listen) throws CommandRefused {
        DestinationSession former = loop.destination;
        if (former != null) {
            refuse(former.machine().refuse(new DestinationInput.Incoming()));
        }
        MigrationOptions options = options(0, 0);
        refuse(OneStream.whyNotFrom(listen, options));
        TlsCredentials tls = loop.tls.server(loop.parameters.tls(), listen);
        if (listen instanceof Address socket) {
            loop.listening.at(Purpose.INCOMING, socket, tls);
        } else {
            loop.listening.nowhere(Purpose.INCOMING);
        }
        DestinationSession fresh = new DestinationSession(options, loop.parameters, loop.tenant.incoming(), loop.host);
        if (former != null) {
            fresh.succeed(former);
        }
        loop.destination = fresh;
        refuse(fresh.operator(new DestinationInput.Incoming(), loop.now()));
        if (listen instanceof MigrationAddress.Local local) {
            loop.traffic.receive(local);
        }
    }

    /** Waits here, too, for the source of the paused incoming migration. */
    void recover(MigrationAddress listen) throws CommandRefused {
        DestinationSession session = loop.destination;
        if (session == null) {
            throw new CommandRefused("migrate-recover works at a destination in postcopy-paused; the state is none");
        }
        refuse(session.machine().refuse(new DestinationInput.AwaitRecovery(session.missing())));
        refuse(OneStream.whyNotFrom(listen, session.machine().options()));
        TlsCredentials tls = loop.tls.server(loop.parameters.tls(), listen);
        if (listen instanceof Address socket) {
            loop.listening.at(Purpose.RECOVER, socket, tls);
        }
        refuse(session.operator(new DestinationInput.AwaitRecovery(session.missing()), loop.now()));
        if (listen instanceof MigrationAddress.Local local) {
            loop.traffic.receive(local);
        }
    }

    /**
     * Where a parked guest stands when its endpoint begins.
     *
     * @return whether it waits for an incoming migration, or for the rest of one
     */
    boolean parked(ParkedGuest.Phase phase, ParkedTenant tenant) throws IOException {
        try {
            return switch (phase) {
                case ParkedGuest.Empty _ -> {
                    tenant.custody().await();
                    yield true;
                }
                case ParkedGuest.Interrupted(StreamIdentity identity, BlockTable blocks) -> {
                    loop.capabilities.add(Capability.POSTCOPY_RAM);
                    loop.capabilities.add(Capability.RETURN_PATH);
                    loop.destination = interrupted(new StreamContext(blocks, identity.ramSectionId()));
                    yield true;
                }
                case ParkedGuest.Parked _ -> false;
                case ParkedGuest.Leaving(Departure departure) -> {
                    if (departure.postcopy()) {
                        loop.capabilities.add(Capability.POSTCOPY_RAM);
                    }
                    loop.capabilities.add(Capability.RETURN_PATH);
                    tenant.custody().left();
                    loop.source = interrupted(departure);
                    loop.interrupted = departure;
                    yield false;
                }
            };
        } catch (CommandRefused e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** What an earlier process left: a guest that it had let go, as far as it knew. */
    SourceSession interrupted(Departure departure) throws CommandRefused {
        OutgoingGuest guest = outgoing();
        SourceState.Lost origin =
                departure.postcopy() ? SourceState.Lost.POSTCOPY_UNPROVEN : SourceState.Lost.PRECOPY_UNPROVEN;
        return SourceSession.interrupted(options(guest, departure.nonce()), loop.parameters, origin, guest, loop.host);
    }

    /** What an earlier process left: a guest that it had taken over, whose memory had not come whole. */
    DestinationSession interrupted(StreamContext context) throws CommandRefused {
        return DestinationSession.interrupted(
                options(0, 0), loop.parameters, loop.tenant.incoming(), context, loop.host);
    }

    private MigrationOptions options(OutgoingGuest guest, int nonce) throws CommandRefused {
        return options(guest.memory().blocks().size(), nonce);
    }

    private MigrationOptions options(int blocks, int nonce) throws CommandRefused {
        try {
            MigrationOptions options = MigrationOptions.of(loop.capabilities, loop.parameters.multifd(), blocks, nonce);
            if (options.multifd() != null) {
                refuse(options.multifd().compression().whyNot());
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw new CommandRefused("the capabilities do not go together: " + e.getMessage(), e);
        }
    }
}
