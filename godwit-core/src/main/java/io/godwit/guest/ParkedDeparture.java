// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.pump.Departure;
import io.godwit.pump.OutgoingGuest;
import io.godwit.pump.PageSource;
import io.godwit.pump.StreamIdentity;
import java.util.function.Consumer;

/**
 * A parked guest that leaves: what is said of it durably, and when. That it leaves is on disk before the migration may go past its commit point. Used by the loop only; what the
 * disk has to tell comes back to the loop.
 */
public final class ParkedDeparture {
    private final ParkedGuest guest;
    private final DiskWorks works;
    private final Consumer<String> notices;
    /** Counts what was asked of the store, so that the answer to something that was given up is told from a later one. */
    private long asked;

    /** @param notices takes sentences for the operator */
    public ParkedDeparture(ParkedGuest guest, DiskWorks works, Consumer<String> notices) {
        this.guest = guest;
        this.works = works;
        this.notices = notices;
    }

    /**
     * What a migration sends.
     *
     * @throws io.godwit.pump.StorageException if the disk does not give it
     */
    public OutgoingGuest outgoing() {
        return new Going(guest.identity(), guest.source(works), guest.state().early());
    }

    /**
     * The migration needs it to stand: says durably that it leaves.
     *
     * @param stopped that is said
     * @param notStopped it could not be, and why
     */
    public void leave(Departure departure, Runnable stopped, Consumer<String> notStopped) {
        long mine = ++asked;
        works.work(
                () -> guest.leave(departure),
                () -> {
                    if (mine == asked) {
                        stopped.run();
                    }
                },
                reason -> {
                    if (mine == asked) {
                        notStopped.accept("the guest cannot leave: " + reason);
                    }
                });
    }

    /** The migration gives it back. */
    public void stay() {
        asked++;
        works.work(
                guest::stay,
                () -> {},
                reason -> notices.accept("the guest stays, but its store cannot say so durably: " + reason));
    }

    /** @param confirmed the destination, or an operator, has said so */
    public void handedOver(boolean confirmed) {
        asked++;
        if (confirmed) {
            works.work(
                    guest::gone,
                    () -> {},
                    reason -> notices.accept("the guest is gone, but its store cannot say so durably: " + reason));
        } else {
            notices.accept("nothing confirms that the guest has arrived: its store goes on saying what it says");
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // handed on as it is, never compared
    private record Going(StreamIdentity identity, PageSource memory, byte[] early) implements OutgoingGuest {}
}
