// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.ParkedDeparture;
import io.godwit.guest.ParkedGuest;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceSession;
import io.godwit.pump.StreamIdentity;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A parked guest that leaves the source: the real way out of the real store. One for each process. */
final class SimUnparked implements SimLeaving {
    private final World world;
    private final SourceEnd end;
    private final SimGuest guest;
    private final ParkedGuest stored;
    private final ParkedDeparture departing;
    private final UnaryOperator<PageSource> wrapper;

    /** @param wrapper around the memory as the source sees it */
    SimUnparked(World world, SourceEnd end, SimGuest guest, SimStore store, UnaryOperator<PageSource> wrapper) {
        this.world = world;
        this.end = end;
        this.guest = guest;
        this.stored = store.guest();
        this.wrapper = wrapper;
        this.departing = new ParkedDeparture(stored, store, text -> {
            world.trace().event("source", "notice: " + text);
            store.unsettles();
        });
    }

    @Override
    public OutgoingGuest outgoing() {
        OutgoingGuest real = departing.outgoing();
        PageSource memory = wrapper.apply(real.memory());
        return new OutgoingGuest() {
            @Override
            public StreamIdentity identity() {
                return real.identity();
            }

            @Override
            public PageSource memory() {
                return memory;
            }

            @Override
            public byte[] early() {
                return real.early();
            }
        };
    }

    @Override
    public MachineState state() {
        return stored.state();
    }

    @Override
    public @Nullable String whyNot() {
        return stored.whyNotLeave();
    }

    @Override
    public void stop(Departure departure) {
        SourceSession asking = end.session();
        guest.holder(SimGuest.Holder.SWITCHING);
        departing.leave(
                departure,
                () -> {
                    world.trace().event("source", "it is on disk that the guest leaves");
                    if (asking != null) {
                        asking.guestStopped(world.queue().now());
                    }
                },
                reason -> {
                    if (asking != null) {
                        asking.guestNotStopped(reason, world.queue().now());
                    }
                });
    }

    @Override
    public void giveBack() {
        if (guest.holder() != SimGuest.Holder.HERE) {
            guest.holder(SimGuest.Holder.HERE);
            departing.stay();
        }
    }

    @Override
    public void handedOver(boolean confirmed) {
        guest.handedOver();
        departing.handedOver(confirmed);
    }
}
