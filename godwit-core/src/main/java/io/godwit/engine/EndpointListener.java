// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import java.util.Set;

/** Hears what an endpoint does. Called on the endpoint's loop; must not block. */
public interface EndpointListener {
    /** The migration's status changed; {@code reason} is a short sentence for people. */
    default void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {}

    /** Capabilities were set, by whatever way; also called once when the listener is added. */
    default void capabilitiesChanged(Set<Capability> enabled) {}

    /** A new pass over the dirty memory began, counted from 1. */
    default void passStarted(long pass) {}

    default void guestStopped() {}

    default void guestResumed() {}

    /** @param reason QEMU's ShutdownCause word */
    default void shutdown(String reason) {}

    /** Something an operator may want to know: a stray connection dropped, a liveness verdict, a handshake superseded. */
    default void notice(String text) {}
}
