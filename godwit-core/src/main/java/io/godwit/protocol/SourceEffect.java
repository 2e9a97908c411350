// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** What a source's machine wants done, in this order, before anything else happens. */
public sealed interface SourceEffect {
    /** Connect a channel, or all channels of that role; the main channel's bytes so far are handed to the kernel first. */
    record Connect(Channel channel) implements SourceEffect {}

    /** Abort every channel of the current attempt, forget what was to be sent, and ignore whatever they still report. */
    record DropChannels(String reason) implements SourceEffect {}

    /** Header, OPEN_RETURN_PATH and PING 1, ADVISE, as the options say. */
    record SendOpening() implements SourceEffect {}

    /** Begin to track dirty pages, mark all dirty, send the START of "ram". */
    record BeginPrecopy() implements SourceEffect {}

    /** A keep-alive PING, between two sections or behind the bitmap requests of a recovery. */
    record SendKeepAlive() implements SourceEffect {}

    /**
     * Stop the guest; {@link SourceInput.GuestStopped} or {@link SourceInput.StopFailed} follows.
     *
     * @param postcopy the switch to postcopy is wanted
     */
    record StopGuest(boolean postcopy) implements SourceEffect {}

    /** The guest goes on here, if it was running before {@link StopGuest} (which may not have ended). */
    record ResumeGuest() implements SourceEffect {}

    /** Harvest the last dirty marks; from here on nothing gets dirty. */
    record FreezeDirty() implements SourceEffect {}

    /** END of "ram", device sections, EOF with {@link SourceInput.Mark#COMMIT}, vmdesc with {@link SourceInput.Mark#END}. */
    record SendPrecopyEnd() implements SourceEffect {}

    /** RAM_DISCARDs, PING 2, PACKAGED with {@link SourceInput.Mark#COMMIT}, PING 4. */
    record SendSwitchToPostcopy() implements SourceEffect {}

    /** END of "ram", EOF with {@link SourceInput.Mark#END}; EOS on the preempt channel. */
    record SendPostcopyEnd() implements SourceEffect {}

    /** RECV_BITMAP for every block; the first bytes of a recovery connection. */
    record SendBitmapRequests() implements SourceEffect {}

    /** The bitmaps that came become the truth about what is still to be sent; then POSTCOPY_RESUME. */
    record SendResume() implements SourceEffect {}

    /** The guest is given up or given back: dirty tracking ends, and what was kept for a recovery may be forgotten. */
    record Forget() implements SourceEffect {}

    /** Close the channels in good order: everything has been said. */
    record CloseChannels() implements SourceEffect {}

    /** The status word changed. */
    record StatusChanged(MigrationStatus from, MigrationStatus to, String reason) implements SourceEffect {}
}
