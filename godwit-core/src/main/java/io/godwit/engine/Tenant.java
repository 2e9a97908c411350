// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.protocol.MigrationOptions;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.OutgoingGuest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An endpoint's guest as its loop sees it: one that lives in this process, or one that is parked. Used by the loop only, but for {@link #writeMemory}. */
interface Tenant {
    Custody custody();

    IncomingGuest incoming();

    /** What an outgoing migration sends; only while the guest is here. */
    OutgoingGuest outgoing();

    /** The stopped guest's device state. */
    MachineState state();

    /** Why it cannot be migrated away, as a sentence, or null. */
    @Nullable
    String whyNotMigrate();

    /** Whether the switch to postcopy is to be made at once. */
    boolean atOnce(MigrationOptions options);

    MigrationInfo.Requests requests();

    /** An incoming migration has paused: what has come can be made sure of. */
    void paused();

    /** Pages are coming: what has come can be made sure of now and then. */
    void receiving(boolean postcopy, long now);

    /** pmemsave; any thread. */
    void writeMemory(Path file, long address, long size) throws CommandRefused, IOException;

    /**
     * Ends everything of it.
     *
     * @param ended hears when that is done, on any thread: null, or what went wrong
     */
    void close(Consumer<@Nullable Throwable> ended);
}
