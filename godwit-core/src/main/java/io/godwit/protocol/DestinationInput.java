// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.wire.StreamMessage;

/** What can happen to a destination. Pages go past the machine, straight to their place, where {@link DestinationMachine#pages} allows them. */
public sealed interface DestinationInput {
    /** Operator: migrate-incoming; somebody listens now. */
    record Incoming() implements DestinationInput {}

    /**
     * Operator: migrate-recover; somebody listens there now, too.
     *
     * @param missing pages not received
     */
    record AwaitRecovery(long missing) implements DestinationInput {}

    /** Operator: migrate-pause. */
    record Pause() implements DestinationInput {}

    /** The channel that is held has given a sign of life. */
    record Revived() implements DestinationInput {}

    /** A connection began with a migration's header: it is the main channel now. */
    record MainOpened() implements DestinationInput {}

    /** A connection began with a recovery's first command: it is the main channel now, whatever was before. */
    record RecoveryOpened() implements DestinationInput {}

    /** A whole message came on the main channel; a block it names is known, for PACKAGED see {@link Packaged}, for EOF {@link Ended}. */
    record Received(StreamMessage message) implements DestinationInput {}

    /**
     * RECV_BITMAP came.
     *
     * @param block index of the block it names
     */
    record BitmapAsked(int block) implements DestinationInput {}

    /**
     * PACKAGED came, whole and well-formed.
     *
     * @param pings the PINGs inside, in order
     */
    record Packaged(java.util.List<Integer> pings) implements DestinationInput {}

    /**
     * EOF came on the main channel.
     *
     * @param missing pages not received
     */
    record Ended(long missing) implements DestinationInput {}

    /** The last missing page came on the preempt channel, after EOF. */
    record NothingMissing() implements DestinationInput {}

    /**
     * The guest has done what {@link DestinationEffect.LoadDevices}, {@link DestinationEffect.Finish} or {@link DestinationEffect.Mend} asked for.
     */
    record WorkDone() implements DestinationInput {}

    /**
     * It could not.
     *
     * @param again the storage failed, not the source: the same may succeed later
     */
    record WorkFailed(String reason, boolean again) implements DestinationInput {}

    /** The guest's storage failed while it took what came. */
    record StorageFailed(String reason) implements DestinationInput {}

    /** A channel broke, ended too early or carried what may not stand there. */
    record Broken(Channel channel, String reason) implements DestinationInput {}

    /**
     * Time has passed: deadlines are looked at.
     *
     * @param owedSince since when a requested page is owed and no requested page has come, or -1 if none is owed
     */
    record Tick(long owedSince) implements DestinationInput {}
}
