// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.net.Address;
import io.godwit.qmp.QmpDisconnected;
import io.godwit.qmp.QmpError;
import io.godwit.qmp.QmpException;
import io.godwit.qmp.QmpTimeout;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Why a peer did not do what it was asked for. The message is a sentence that names the peer. */
public final class PeerException extends Exception {
    private static final long serialVersionUID = 1;

    /** What the system says when no process has the socket that was connected to. */
    private static final Set<String> NOBODY_LISTENS = Set.of("Connection refused", "No such file or directory");

    /** What kind of failure it is: whether something may have happened, and whether it is of use to ask again. */
    public enum Kind {
        /** The peer said no, or cannot be asked for this. Nothing has changed there. */
        REFUSED,
        /** What it answered is not understood. */
        NOT_UNDERSTOOD,
        /** It did not answer in time. A command may have been carried out, or may still be. */
        NO_ANSWER,
        /** The connection ended while the answer was awaited. A command may have been carried out. */
        LOST,
        /** No connection: nobody has the socket (any more). */
        NOBODY,
        /** No connection for another reason. */
        UNREACHABLE
    }

    private final Kind kind;

    PeerException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    static PeerException refused(String message) {
        return new PeerException(Kind.REFUSED, message, null);
    }

    /** A connection that did not come about. */
    static PeerException connecting(Address address, QmpException e) {
        Kind kind = e instanceof QmpTimeout ? Kind.NO_ANSWER : nobodyListens(e) ? Kind.NOBODY : Kind.UNREACHABLE;
        String hint =
                kind == Kind.NO_ANSWER ? " (a QEMU's QMP socket serves one client at a time: is there another?)" : "";
        return new PeerException(kind, "QMP at '" + address + "': " + e.getMessage() + hint, e);
    }

    /** A command that did not come to its end. */
    static PeerException asking(String who, String command, QmpException e) {
        return switch (e) {
            case QmpError refusal ->
                new PeerException(Kind.REFUSED, who + " refuses '" + command + "': " + refusal.getMessage(), refusal);
            case QmpTimeout late -> new PeerException(Kind.NO_ANSWER, who + ": " + late.getMessage(), late);
            case QmpDisconnected gone ->
                new PeerException(
                        Kind.LOST,
                        who + " was lost while it was asked for '" + command + "', which it may have done: "
                                + gone.getMessage(),
                        gone);
        };
    }

    public Kind kind() {
        return kind;
    }

    private static boolean nobodyListens(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            String words = cause.getMessage();
            if (words != null && NOBODY_LISTENS.contains(words)) {
                return true;
            }
        }
        return false;
    }
}
