// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsCredentials;
import io.godwit.protocol.Capability;
import io.godwit.protocol.Parameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What an operator can do with one endpoint: the meaning behind the QMP commands, without QMP. Every method may be called from any thread
 * and returns once the endpoint's loop has accepted or refused the request (a round trip through its mailbox, no network); none waits
 * for a peer. A refusal is a {@link CommandRefused} whose message is a sentence for the operator. Once the endpoint has ended, what cannot be
 * refused (queries, listeners) is an {@link IllegalStateException} that says so.
 */
public interface EndpointControl {
    /** Starts an outgoing migration, or with {@code resume} a recovery of the paused (or uncertain) one. */
    void migrate(MigrationAddress target, boolean resume) throws CommandRefused;

    /**
     * Begins to listen for an incoming migration, or to read it from what is no socket. A port in use and the like are a refusal; what cannot be opened makes the migration
     * fail.
     */
    void migrateIncoming(MigrationAddress listen) throws CommandRefused;

    /** At a paused destination: listens here, too, for the recovery. */
    void migrateRecover(MigrationAddress listen) throws CommandRefused;

    /** Breaks this side's channels in postcopy-active, postcopy-recover-setup or postcopy-recover: it goes to postcopy-paused. */
    void migratePause() throws CommandRefused;

    /**
     * Breaks this side's channels in whatever state, as if the network had: in postcopy the migration pauses, in precopy it fails and the guest
     * goes on at the source. Refused if there is no channel.
     */
    void yank() throws CommandRefused;

    void migrateCancel() throws CommandRefused;

    /** @param status the state that the operator believes the migration is in: {@code pre-switchover} */
    void migrateContinue(String status) throws CommandRefused;

    void migrateStartPostcopy() throws CommandRefused;

    /** Ends the uncertain state by the operator's word: who has the guest now. {@link Owner#DESTINATION_WHOLE} ends postcopy-paused, too. */
    void migrateResolve(Owner owner) throws CommandRefused;

    Set<Capability> capabilities();

    void setCapabilities(Map<Capability, Boolean> changes) throws CommandRefused;

    Parameters parameters();

    void setParameters(UnaryOperator<Parameters> change) throws CommandRefused;

    /** Makes credentials known by an id, for the parameter {@code tls-creds} to name. */
    void addCredentials(String id, TlsCredentials credentials) throws CommandRefused;

    /** Forgets credentials; refused while {@code tls-creds} names them. */
    void removeCredentials(String id) throws CommandRefused;

    /** What query-migrate reports. */
    MigrationInfo info();

    /** QEMU's run state word: running, paused, inmigrate, finish-migrate, postmigrate, prelaunch, shutdown. */
    String runState();

    void stop() throws CommandRefused;

    void cont() throws CommandRefused;

    /**
     * Ends the endpoint. On a side that holds what exists nowhere else the first call is refused with the reason and the second one is obeyed.
     *
     * @param reason QEMU's ShutdownCause word, {@code host-qmp-quit} or {@code host-signal}
     */
    void quit(String reason) throws CommandRefused;

    /** Writes guest-physical memory to a file. Blocks go one after the other from address 0. */
    void pmemsave(long address, long size, Path file) throws CommandRefused, IOException;

    /** The listener is called on the endpoint's loop, in order, and must not block; at once with the capabilities as they are. */
    void addListener(EndpointListener listener);

    void removeListener(EndpointListener listener);

    /** The answer to an operator who asked for what cannot be. */
    final class CommandRefused extends Exception {
        private static final long serialVersionUID = 1;

        public CommandRefused(String message) {
            super(message);
        }

        public CommandRefused(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Whose the guest is, by an operator's word. */
    enum Owner {
        SOURCE,
        DESTINATION,
        /** The destination's, with all of its memory: nothing has to be kept for it here. */
        DESTINATION_WHOLE
    }
}
