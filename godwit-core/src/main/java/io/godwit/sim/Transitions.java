// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.protocol.MigrationStatus.ACTIVE;
import static io.godwit.protocol.MigrationStatus.CANCELLED;
import static io.godwit.protocol.MigrationStatus.CANCELLING;
import static io.godwit.protocol.MigrationStatus.COMPLETED;
import static io.godwit.protocol.MigrationStatus.DEVICE;
import static io.godwit.protocol.MigrationStatus.FAILED;
import static io.godwit.protocol.MigrationStatus.NONE;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_ACTIVE;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_PAUSED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_RECOVER;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_RECOVER_SETUP;
import static io.godwit.protocol.MigrationStatus.PRE_SWITCHOVER;
import static io.godwit.protocol.MigrationStatus.SETUP;
import static io.godwit.protocol.MigrationStatus.UNCERTAIN;

import io.godwit.protocol.MigrationStatus;
import java.util.Map;
import java.util.Set;

/** Which status may follow which: {@code spec/sequences.md §8} as of QEMU 10.0, and the uncertain one. */
public final class Transitions {
    public static final Map<MigrationStatus, Set<MigrationStatus>> SOURCE = Map.ofEntries(
            Map.entry(NONE, Set.of(SETUP)),
            Map.entry(SETUP, Set.of(ACTIVE, FAILED, CANCELLING)),
            Map.entry(ACTIVE, Set.of(PRE_SWITCHOVER, DEVICE, FAILED, CANCELLING)),
            Map.entry(PRE_SWITCHOVER, Set.of(DEVICE, FAILED, CANCELLING)),
            Map.entry(DEVICE, Set.of(POSTCOPY_ACTIVE, COMPLETED, UNCERTAIN, FAILED, CANCELLING)),
            Map.entry(CANCELLING, Set.of(CANCELLED)),
            Map.entry(CANCELLED, Set.of(SETUP)),
            Map.entry(FAILED, Set.of(SETUP)),
            Map.entry(POSTCOPY_ACTIVE, Set.of(POSTCOPY_PAUSED, UNCERTAIN, COMPLETED)),
            // To recover: a channel that was held has come back to life.
            // COMPLETED by an operator's word only: the destination had everything, and its last word was lost.
            Map.entry(POSTCOPY_PAUSED, Set.of(POSTCOPY_RECOVER_SETUP, POSTCOPY_RECOVER, COMPLETED)),
            Map.entry(POSTCOPY_RECOVER_SETUP, Set.of(POSTCOPY_RECOVER, POSTCOPY_PAUSED, UNCERTAIN)),
            Map.entry(POSTCOPY_RECOVER, Set.of(POSTCOPY_ACTIVE, POSTCOPY_PAUSED, UNCERTAIN)),
            Map.entry(UNCERTAIN, Set.of(POSTCOPY_RECOVER_SETUP, POSTCOPY_RECOVER, POSTCOPY_PAUSED, COMPLETED, FAILED)),
            // Only without a return path, when nothing has confirmed the end, and by an operator's word.
            Map.entry(COMPLETED, Set.of(FAILED)));

    public static final Map<MigrationStatus, Set<MigrationStatus>> DESTINATION = Map.of(
            NONE, Set.of(SETUP),
            SETUP, Set.of(ACTIVE),
            // To paused: the channel is lost while the guest is still taking its state over.
            ACTIVE, Set.of(COMPLETED, FAILED, POSTCOPY_ACTIVE, POSTCOPY_PAUSED),
            FAILED, Set.of(SETUP),
            POSTCOPY_ACTIVE, Set.of(POSTCOPY_PAUSED, COMPLETED),
            // To active: the same after its RESUME_ACK.
            POSTCOPY_PAUSED, Set.of(POSTCOPY_RECOVER, POSTCOPY_ACTIVE, COMPLETED, FAILED),
            POSTCOPY_RECOVER, Set.of(POSTCOPY_ACTIVE, POSTCOPY_PAUSED),
            COMPLETED, Set.of());

    private Transitions() {}
}
