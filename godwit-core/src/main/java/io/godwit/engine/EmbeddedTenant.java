// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.guest.Guest;
import io.godwit.memory.LatencyHistogram;
import io.godwit.protocol.MigrationOptions;
import io.godwit.pump.Arrival;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StreamIdentity;
import io.godwit.wire.StreamMessage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A guest that lives in this process. It knows its memory before anybody sends it, and answers every work at once. */
final class EmbeddedTenant implements Tenant {
    private static final byte[] NOTHING = {};
    /** Device sections have the ids from 2 on. */
    private static final int RAM_SECTION = 1;

    private final Guest guest;
    private final GuestSwitch guestSwitch;

    EmbeddedTenant(Guest guest, GuestSwitch guestSwitch) {
        this.guest = guest;
        this.guestSwitch = guestSwitch;
    }

    @Override
    public Custody custody() {
        return guestSwitch;
    }

    @Override
    public IncomingGuest incoming() {
        return new Coming();
    }

    @Override
    public OutgoingGuest outgoing() {
        StreamIdentity identity = new StreamIdentity(StreamMessage.Configuration.of(guest.machine()), RAM_SECTION);
        return new Going(identity, guest.memory().asSource());
    }

    @Override
    public MachineState state() {
        String runState = guestSwitch.stateToMove();
        return new MachineState(
                NOTHING,
                Devices.encode(guest.saveDevices(), runState),
                Devices.describe(guest.saveDevices(), runState));
    }

    @Override
    public @Nullable String whyNotMigrate() {
        return null;
    }

    @Override
    public boolean atOnce(MigrationOptions options) {
        return false;
    }

    @Override
    public MigrationInfo.Requests requests() {
        LatencyHistogram.Snapshot waits = guest.memory().waits().snapshot();
        return new MigrationInfo.Requests(
                waits.count(),
                guest.memory().requests().outstanding(),
                guest.memory().blockedNanos(),
                waits.count() == 0 ? 0 : waits.sum() / waits.count(),
                waits.percentile(50),
                waits.percentile(90),
                waits.percentile(99),
                waits.max(),
                List.copyOf(waits.powersOfTwoMicros()));
    }

    @Override
    public void paused() {
        // Its memory ends with this process anyway.
    }

    /** It dies with this process anyway. */
    @Override
    public void receiving(boolean postcopy, long now) {}

    @Override
    public void writeMemory(Path file, long address, long size) throws CommandRefused, IOException {
        try {
            guest.memory().writeTo(file, address, size);
        } catch (IllegalArgumentException | IllegalStateException e) {
            // A range outside the memory, or a page in it that has not arrived: sentences for the operator.
            throw new CommandRefused(String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public void close(Consumer<@Nullable Throwable> ended) {
        guest.close();
        ended.accept(null);
    }

    private record Going(StreamIdentity identity, PageSource memory) implements OutgoingGuest {
        @Override
        public byte[] early() {
            return NOTHING;
        }
    }

    /** What an incoming migration brings to it. */
    private final class Coming implements IncomingGuest {
        private final MissingPages missing = new MemoryRequests(guest.memory());

        @Override
        public @Nullable String unfit(StreamMessage.Configuration configuration) {
            return configuration.machine().equals(guest.machine())
                    ? null
                    : "the source's machine is '" + configuration.machine() + "', this one is '" + guest.machine()
                            + "'";
        }

        @Override
        public @Nullable String adopt(Arrival arrival) {
            return null;
        }

        @Override
        public PageSink memory() {
            return guest.memory().asSink();
        }

        @Override
        public boolean known() {
            return true;
        }

        @Override
        public MissingPages missingPages() {
            return missing;
        }

        @Override
        public void reset() {
            guest.memory().asSink().reset();
        }

        @Override
        public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
            try {
                Devices.Loaded loaded = Devices.decode(state.all());
                guest.loadDevices(loaded.sections());
                guestSwitch.comes(loaded.runs());
            } catch (IllegalArgumentException e) {
                answer.failed(String.valueOf(e.getMessage()), false);
                return;
            }
            answer.done();
        }

        @Override
        public void finish(boolean confirmed, Answer answer) {
            answer.done();
        }

        @Override
        public void mend(Answer answer) {
            answer.done();
        }
    }
}
