// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsClient;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Departure;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.MachineState;
import io.godwit.pump.Outbox;
import io.godwit.pump.SourceHost;
import org.jspecify.annotations.Nullable;

/** What the sessions want of the world, carried out by the loop. Used by the loop only. */
final class HostSide implements SourceHost, DestinationHost {
    private final EndpointLoop loop;
    private @Nullable MigrationAddress target;
    private @Nullable TlsClient tls;

    HostSide(EndpointLoop loop) {
        this.loop = loop;
    }

    /** Where the source's channels go from now on; {@code how} null: without TLS. */
    void target(MigrationAddress address, @Nullable TlsClient how) {
        target = address;
        tls = how;
    }

    @Override
    public int connect(Channel channel) {
        MigrationAddress address = target;
        if (address == null) {
            throw new IllegalStateException("connecting without a target");
        }
        return loop.traffic.connect(address, tls);
    }

    @Override
    public void abort(int connection, String reason) {
        Link link = loop.links.get(connection);
        boolean only = link != null && link.side == Link.Side.DESTINATION && link.connection.confirms();
        loop.links.abort(connection, reason);
        if (only) {
            // Later: the session that wants this is in the middle of a step.
            loop.mailbox.answer(() -> loop.traffic.onlyOneLost(connection, reason));
        }
    }

    @Override
    public void close(int connection, Outbox rest) {
        loop.links.leave(connection, rest, loop.now());
    }

    @Override
    public boolean confirms(int connection) {
        return loop.links.confirms(connection);
    }

    @Override
    public void endOutput(int connection) {
        loop.links.endOutput(connection);
    }

    @Override
    public void stopGuest(Departure departure) {
        loop.tenant.custody().stopForMigration(departure);
    }

    @Override
    public void resumeGuest() {
        loop.tenant.custody().giveBack();
    }

    @Override
    public MachineState machineState() {
        return loop.tenant.state();
    }

    @Override
    public void keepShallow(int connection) {
        loop.traffic.keepShallow(connection);
    }

    @Override
    public void again(int connection) {
        loop.traffic.again(connection);
    }

    @Override
    public long now() {
        return loop.now();
    }

    @Override
    public void startGuest() {
        loop.tenant.custody().arrived();
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        if (to == MigrationStatus.COMPLETED
                && loop.source != null
                && loop.source.machine().state() instanceof SourceState.Completed(boolean confirmed)) {
            loop.tenant.custody().handedOver(confirmed);
        }
        if (to == MigrationStatus.POSTCOPY_PAUSED && loop.source == null) {
            loop.tenant.paused();
        }
        loop.tell(listener -> listener.statusChanged(from, to, reason));
    }

    @Override
    public void passStarted(long pass) {
        loop.tell(listener -> listener.passStarted(pass));
    }

    @Override
    public void notice(String text) {
        loop.tell(listener -> listener.notice(text));
    }
}
