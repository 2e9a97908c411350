// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.wire.ReturnPathMessage;

/** What a destination's machine wants done, in this order, before anything else happens. */
public sealed interface DestinationEffect {
    /** A message on the return path. */
    record Reply(ReturnPathMessage message) implements DestinationEffect {}

    /** The block's received bitmap as it is now, on the return path. */
    record SendBitmap(int block) implements DestinationEffect {}

    /** Abort the channels and forget what was to be sent on them. */
    record DropChannels(String reason) implements DestinationEffect {}

    /** Close the channels once what is to be sent on them has been. */
    record CloseChannels() implements DestinationEffect {}

    /** Forget whatever an earlier, failed attempt has left in memory. */
    record ResetMemory() implements DestinationEffect {}

    /** From here on missing pages are waited for and present ones never overwritten. */
    record BeginPostcopy() implements DestinationEffect {}

    /**
     * Give the guest its device state; {@link DestinationInput.WorkDone} or {@link DestinationInput.WorkFailed} follows, as for each of the three works.
     *
     * @param postcopy after PACKAGED; else everything is here, and the guest makes sure of all of it
     * @param confirmed the source cannot run the guest again, whatever it hears
     */
    record LoadDevices(boolean postcopy, boolean confirmed) implements DestinationEffect {}

    /**
     * Postcopy: everything is here, the guest makes sure of it.
     *
     * @param confirmed the source cannot run the guest again, whatever it hears; QEMU from 10 on does if it misses SHUT
     */
    record Finish(boolean confirmed) implements DestinationEffect {}

    /** The guest's storage has failed: it goes back to what is sure. Received pages may become fewer. */
    record Mend() implements DestinationEffect {}

    /** The guest is this side's: start it (unless it was paused at the source). */
    record StartGuest() implements DestinationEffect {}

    /** Every page request without an answer is to be sent again. */
    record ReissueRequests() implements DestinationEffect {}

    record StatusChanged(MigrationStatus from, MigrationStatus to, String reason) implements DestinationEffect {}

    record Notice(String text) implements DestinationEffect {}
}
