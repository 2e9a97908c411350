// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.OutgoingGuest;
import org.jspecify.annotations.Nullable;

/** How the source's guest is sent and let go: one that runs in the source, or one that is parked there. */
interface SimLeaving {
    /** @throws io.godwit.pump.StorageException if a disk does not give it */
    OutgoingGuest outgoing();

    MachineState state();

    /** Why it cannot be migrated away, as a sentence, or null. */
    @Nullable
    String whyNot();

    /** The migration needs it to stand; the session hears of it. */
    void stop(Departure departure);

    void giveBack();

    /** @param confirmed the destination, or an operator, has said so */
    void handedOver(boolean confirmed);
}
