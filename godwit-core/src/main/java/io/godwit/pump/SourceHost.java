// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationStatus;

/**
 * The world of a {@link SourceSession}: connections, the guest's switch, and who listens. Called on the migration's loop only; nothing here waits, and what comes
 * of it (a connection, a stopped guest) reaches the session by a later call, never from inside this one.
 */
public interface SourceHost {
    /**
     * Begins to connect a channel to the migration's target. What is in the main outbox is offered to the kernel first.
     *
     * @return a number for the connection, used once in this session; {@link SourceSession#connected} or {@link SourceSession#broken} follows
     */
    int connect(Channel channel);

    /** Breaks the connection in both directions at once; nothing more is heard of it. */
    void abort(int connection, String reason);

    /** Closes the connection once its outbox is written and the peer has ended; nothing more is heard of it. */
    void close(int connection, Outbox rest);

    /** Whether what is at the other end says by its end that all has come to where it should (a file, a command); a network's peer does not. */
    boolean confirms(int connection);

    /** Says that nothing more will be written; {@link SourceSession#ended} or {@link SourceSession#broken} follows. */
    void endOutput(int connection);

    /** Stops the guest; {@link SourceSession#guestStopped} or {@link SourceSession#guestNotStopped} follows. */
    void stopGuest(Departure departure);

    /** The guest goes on here if it ran before {@link #stopGuest}, which may not have ended. */
    void resumeGuest();

    /**
     * The stopped guest's device state, verbatim ({@code spec/stream.md §4, §8}).
     *
     * @throws StorageException if it is on a disk that does not give it
     */
    MachineState machineState();

    /** Keep the kernel's send queue of this connection short from now on: an urgent page must not wait behind it. */
    void keepShallow(int connection);

    void statusChanged(MigrationStatus from, MigrationStatus to, String reason);

    /** A new pass over the dirty memory begins, counted from 1. */
    void passStarted(long pass);
}
