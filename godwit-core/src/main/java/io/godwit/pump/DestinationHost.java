// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.MigrationStatus;

/** The world of a {@link DestinationSession}. Called on the migration's loop only; nothing here waits. */
public interface DestinationHost {
    /** Breaks the connection in both directions at once; nothing more is heard of it. */
    void abort(int connection, String reason);

    /** Closes the connection once its outbox is written and the peer has ended; nothing more is heard of it. */
    void close(int connection, Outbox rest);

    /** Bytes of this connection that were left unconsumed may be consumed now: {@link DestinationSession#received} is to be called again, soon, not from inside this call. */
    void again(int connection);

    /** The loop's time, for what comes to the session by another way than its own methods. */
    long now();

    /** The guest is this side's: starts it, unless its state says that it was paused. */
    void startGuest();

    void statusChanged(MigrationStatus from, MigrationStatus to, String reason);

    void notice(String text);
}
