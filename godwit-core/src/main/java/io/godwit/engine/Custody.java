// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.pump.Departure;
import org.jspecify.annotations.Nullable;

/** To whom an endpoint's guest belongs, and whether it runs here. Used by the loop only. */
interface Custody {
    /** Where the guest belongs. */
    enum Holder {
        /** This endpoint runs it, or may, or keeps it. */
        HERE,
        /** An incoming migration has not brought it yet. */
        AWAITED,
        /** Stopped for the switchover of an outgoing migration. */
        SWITCHING,
        /** Handed over: it never runs here again but by an operator's word. */
        GONE
    }

    Holder holder();

    /** QEMU's word for what is. */
    String runState();

    /** Why it can never be run here, as a sentence, or null. */
    @Nullable
    String whyNeverRun();

    void await();

    /** The operator wants it to run; only while the guest is {@link Holder#HERE}. */
    void run();

    /** The operator wants it stopped. */
    void stop();

    /** An incoming migration has brought it. */
    void arrived();

    /** The migration needs it stopped; {@link EndpointLoop#guestStopped} or {@link EndpointLoop#guestNotStopped} follows. */
    void stopForMigration(Departure departure);

    /** The migration gives it back. */
    void giveBack();

    /** @param confirmed the destination, or an operator, has said so */
    void handedOver(boolean confirmed);
}
