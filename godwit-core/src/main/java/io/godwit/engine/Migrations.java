// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.Listening.Purpose;
import io.godwit.net.Address;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceInput;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.SourceSession;
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
    void start(Address target) throws CommandRefused {
        SourceSession last = loop.source;
        if (last != null) {
            refuse(last.machine().refuse(new SourceInput.Migrate()));
        }
        DestinationSession in = loop.destination;
        if (in != null && in.machine().status() != MigrationStatus.COMPLETED) {
            throw new CommandRefused("the guest is not here: an incoming migration is in "
                    + in.machine().status());
        }
        if (loop.guestSwitch.holder() == GuestSwitch.Holder.AWAITED) {
            throw new CommandRefused("the guest is not here: an incoming migration has to bring it first");
        }
        MigrationOptions options = options(loop.random.nextInt(1 << 16));
        if (options.compress()) {
            throw new CommandRefused(
                    "capability compress is for a migration that comes from QEMU 9.0 or older: nothing is"
                            + " sent compressed, switch it off");
        }
        loop.host.target(target);
        SourceSession fresh = new SourceSession(
                options,
                loop.parameters,
                loop.guest.machine(),
                loop.guest.memory().asSource(),
                loop.host);
        loop.source = fresh;
        refuse(fresh.operator(new SourceInput.Migrate(), loop.now()));
    }

    /** A recovery of the paused outgoing migration. */
    void resume(Address target) throws CommandRefused {
        SourceSession paused = loop.source;
        if (paused == null) {
            throw new CommandRefused("there is no paused migration to resume: none was started here");
        }
        refuse(paused.machine().refuse(new SourceInput.Resume()));
        loop.host.target(target);
        refuse(paused.operator(new SourceInput.Resume(), loop.now()));
    }

    /** Waits for a source, with the capabilities as they are now. */
    void incoming(Address listen) throws CommandRefused {
        DestinationSession former = loop.destination;
        if (former != null) {
            refuse(former.machine().refuse(new DestinationInput.Incoming()));
        }
        MigrationOptions options = options(0);
        loop.listening.at(Purpose.INCOMING, listen);
        DestinationSession fresh = new DestinationSession(
                options,
                loop.parameters,
                loop.guest.machine(),
                loop.guest.memory().asSink(),
                loop.missingPages,
                loop.host);
        if (former != null) {
            fresh.succeed(former);
        }
        loop.destination = fresh;
        refuse(fresh.operator(new DestinationInput.Incoming(), loop.now()));
    }

    /** Waits here, too, for the source of the paused incoming migration. */
    void recover(Address listen) throws CommandRefused {
        DestinationSession session = loop.destination;
        if (session == null || !(session.machine().state() instanceof DestinationState.Paused)) {
            throw new CommandRefused("migrate-recover works at a destination in postcopy-paused; the state is "
                    + (session == null ? "none" : session.machine().status()));
        }
        loop.listening.at(Purpose.RECOVER, listen);
    }

    private MigrationOptions options(int nonce) throws CommandRefused {
        try {
            return MigrationOptions.of(
                    loop.capabilities, loop.guest.memory().blocks().size(), nonce);
        } catch (IllegalArgumentException e) {
            throw new CommandRefused("the capabilities do not go together: " + e.getMessage(), e);
        }
    }
}
