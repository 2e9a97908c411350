// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.SourceState;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceSession;
import io.godwit.pump.StreamIdentity;
import io.godwit.wire.StreamMessage;
import org.jspecify.annotations.Nullable;

/** A guest that runs in the source, or one behind a {@link SimStorage}. */
final class SimRunning implements SimLeaving {
    private final World world;
    private final SourceEnd end;
    private final SimGuest guest;
    private final PageSource pages;

    SimRunning(World world, SourceEnd end, SimGuest guest, PageSource pages) {
        this.world = world;
        this.end = end;
        this.guest = guest;
        this.pages = world.disk().source(pages);
    }

    @Override
    public OutgoingGuest outgoing() {
        return new OutgoingGuest() {
            @Override
            public StreamIdentity identity() {
                return new StreamIdentity(
                        StreamMessage.Configuration.of(world.setup().machine()), SimDevices.RAM_SECTION);
            }

            @Override
            public PageSource memory() {
                return pages;
            }

            @Override
            public byte[] early() {
                return new byte[0];
            }
        };
    }

    @Override
    public MachineState state() {
        return new MachineState(
                new byte[0],
                world.devices().save(guest.wanted()),
                world.devices().describe(guest.wanted()));
    }

    @Override
    public @Nullable String whyNot() {
        return guest.holder() == SimGuest.Holder.HERE ? null : "the guest is not here";
    }

    @Override
    public void stop(Departure departure) {
        SourceSession asking = end.session();
        if (!world.disk().there()) {
            guest.stopForMigration();
            return;
        }
        world.disk()
                .work(
                        () -> end.event(null, () -> {
                            if (asking == end.session() && end.state() instanceof SourceState.Stopping) {
                                guest.stopForMigration();
                            }
                        }),
                        () -> end.event("it cannot be written down that the guest leaves", () -> {
                            if (asking != null && asking == end.session()) {
                                asking.guestNotStopped("no room", world.queue().now());
                            }
                        }));
    }

    @Override
    public void giveBack() {
        guest.giveBack();
    }

    @Override
    public void handedOver(boolean confirmed) {
        guest.handedOver();
    }
}
