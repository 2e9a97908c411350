// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/**
 * What {@link Reactor#poll} tells its caller, always on the thread that called it.
 *
 * <p>A connection's life as told here: first {@code accepted}, {@code connected} or {@code connectFailed}, exactly one
 * of them; then {@code readable} and {@code writable} any number of times; at most one {@code broken} as its last
 * word. After {@link Connection#close()}, {@code broken} or {@code connectFailed} nothing comes any more. A handler may
 * use, abort and close any connection or listener of the reactor, but it may not poll.
 */
public interface Handler {

    /** A peer connected. The connection wants to be read. */
    void accepted(Listener listener, Connection connection);

    /** A connection that {@link Reactor#connect} began is there. It wants to be read. */
    void connected(Connection connection);

    /**
     * A connection that {@link Reactor#connect} began will never be there; it is closed already.
     *
     * @param reason a sentence: the address, what went wrong and, where known, what to do; or the reason of an abort
     */
    void connectFailed(Connection connection, String reason);

    /** {@link Connection#read} has something to say: bytes, the end of the stream, or an error. */
    void readable(Connection connection);

    /** {@link Connection#write} has room again; comes only while {@link Connection#wantWrite} is on. */
    void writable(Connection connection);

    /**
     * The connection is lost or was aborted; it is closed already.
     *
     * @param reason a sentence that names the peer and what happened; or the reason of an abort
     */
    void broken(Connection connection, String reason);

    /**
     * A listener cannot accept just now, for want of file descriptors most likely. It is left alone for
     * {@link Reactor#ACCEPT_PAUSE_NANOS} and then tried again, without end; this is told once per such spell.
     *
     * @param reason a sentence: the address and what went wrong
     */
    void acceptFailed(Listener listener, String reason);

    /**
     * Somebody connected where TLS is spoken and the handshake came to nothing; the connection is closed already, and nothing else is told of it. Comes only after {@link Listener#secure}.
     *
     * @param reason a sentence: who, where and what went wrong
     */
    default void refused(Listener listener, String reason) {
        throw new IllegalStateException("nobody expected TLS here: " + reason);
    }
}
