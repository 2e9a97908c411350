// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.wire.ReturnPathMessage;

/** What can happen to a source. Operators' inputs are checked with {@link SourceMachine#refuse} first. */
public sealed interface SourceInput {
    /**
     * Operator: migrate.
     *
     * @param atOnce the switch to postcopy is made as soon as the destination has answered, and no page is sent before it: for a guest that does not run
     */
    record Migrate(boolean atOnce) implements SourceInput {
        /** The ordinary way: pages first. */
        public Migrate() {
            this(false);
        }
    }

    /** Operator: migrate with resume. */
    record Resume() implements SourceInput {}

    /** Operator: migrate-start-postcopy. */
    record StartPostcopy() implements SourceInput {}

    /** Operator: migrate-continue. */
    record Continue() implements SourceInput {}

    /** Operator: migrate-pause. */
    record Pause() implements SourceInput {}

    /** Operator: migrate_cancel. */
    record Cancel() implements SourceInput {}

    /** Operator: the guest is the source's again. */
    record ResolveHere() implements SourceInput {}

    /** Operator: the destination has the guest. */
    record ResolveThere() implements SourceInput {}

    /**
     * Operator: the destination has the guest and all of its memory, and needs nothing from here any more.
     *
     * @param unsent pages of which it is known here that the destination does not have them
     */
    record ResolveWhole(long unsent) implements SourceInput {}

    /** The channel that is held has given a sign of life. */
    record Revived() implements SourceInput {}

    /** A channel of the current attempt is connected; of multifd all are. */
    record Connected(Channel channel) implements SourceInput {}

    /** A channel of the current attempt could not be connected, or broke. */
    record Broken(Channel channel, String reason) implements SourceInput {}

    /** A whole message came on the return path. A bitmap has been checked for plausibility and is not applied yet. */
    record Received(ReturnPathMessage message) implements SourceInput {}

    /** The guest has stopped and its device state is at hand. */
    record GuestStopped() implements SourceInput {}

    /** The guest could not be stopped: the statement that it leaves could not be made durable, say. It is where it was. */
    record StopFailed(String reason) implements SourceInput {}

    /** The guest's storage failed while a page was read. */
    record StorageFailed(String reason) implements SourceInput {}

    /**
     * A pass is over, or nearly: how much is left and how fast it goes.
     *
     * @param remainingBytes dirty after the last harvest of marks
     * @param bytesPerSecond measured, 0 if nothing was measured yet
     */
    record Estimate(long remainingBytes, double bytesPerSecond) implements SourceInput {}

    /** No dirty page is left, in the final pass of a precopy or in postcopy. */
    record NothingLeft() implements SourceInput {}

    /** The last byte up to the mark was handed to the kernel. */
    record Written(Mark mark) implements SourceInput {}

    /** Time has passed: deadlines are looked at. */
    record Tick() implements SourceInput {}

    /** Places in the outgoing stream that matter when the kernel has them. */
    enum Mark {
        /** The last byte of the EOF type or of the PACKAGED blob. */
        COMMIT,
        /** The last byte of everything. */
        END,
        /** A keep-alive PING. */
        PING
    }
}
