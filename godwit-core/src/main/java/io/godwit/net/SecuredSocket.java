// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import javax.net.ssl.SSLSocket;

/**
 * TLS over a tcp connection, for those who wait on threads of their own; JSSE's socket does the work. {@link #handshake} comes first. {@link #close} is at once and says nothing to the peer, since a
 * peer that does not read could hold up its last record; {@link #farewell} says it.
 */
public final class SecuredSocket implements BlockingSocket {
    private static final String NOT_LET_IN = "the peer ended the connection before it said anything: it may not accept"
            + " this side's certificate, or await no TLS";

    private final SocketChannel channel;
    private final SSLSocket session;
    private volatile boolean heard;
    private volatile boolean inputEnded;
    private volatile boolean closed;

    private SecuredSocket(SocketChannel channel, SSLSocket session) {
        this.channel = channel;
        this.session = session;
    }

    /** The side that has connected, over a blocking channel of tcp. */
    public static SecuredSocket client(SocketChannel connected, TlsClient tls) throws IOException {
        Socket plain = connected.socket();
        return new SecuredSocket(connected, tls.credentials().client(plain, tls.hostname()));
    }

    /** The side that was connected to, over a blocking channel of tcp. */
    public static SecuredSocket server(SocketChannel accepted, TlsCredentials credentials) throws IOException {
        return new SecuredSocket(accepted, credentials.server(accepted.socket()));
    }

    /**
     * Waits until both sides know each other; {@link #close} by another thread ends it.
     *
     * @throws IOException with a reason as a part of a sentence
     */
    public void handshake() throws IOException {
        try {
            session.startHandshake();
        } catch (IOException failed) {
            throw understood(failed);
        }
    }

    @Override
    public int read(ByteBuffer into, Consumer<Descriptor> handed) throws IOException {
        byte[] bytes = new byte[into.remaining()];
        try {
            InputStream in = session.getInputStream();
            int count = in.read(bytes);
            if (count > 0) {
                heard = true;
                into.put(bytes, 0, count);
            } else if (count < 0 && !heard && !inputEnded && session.getUseClientMode()) {
                throw new IOException(NOT_LET_IN);
            }
            return count;
        } catch (IOException failed) {
            if (inputEnded && !closed) {
                return -1; // to the session it looks like a peer that has gone without a word
            }
            throw understood(failed);
        }
    }

    @Override
    public void write(ByteBuffer from) throws IOException {
        byte[] bytes = new byte[from.remaining()];
        from.get(bytes);
        try {
            OutputStream out = session.getOutputStream();
            out.write(bytes);
            out.flush();
        } catch (IOException failed) {
            throw understood(failed);
        }
    }

    private IOException understood(IOException failed) {
        if (closed) { // by this side; a session that fails closes the channel, too
            ClosedChannelException here = new ClosedChannelException();
            here.initCause(failed);
            return here;
        }
        // Who is refused may hear it only by the end: the alert is overtaken by it.
        boolean refused = !heard && session.getUseClientMode() && TlsReasons.isLoss(failed);
        return new IOException(refused ? NOT_LET_IN : TlsReasons.of(failed), failed);
    }

    @Override
    public void shutdownInput() throws IOException {
        // Under the session, which would wait for the peer's own end first.
        inputEnded = true;
        channel.shutdownInput();
    }

    @Override
    public void farewell() throws IOException {
        try {
            session.shutdownOutput();
        } catch (IOException failed) {
            throw understood(failed);
        }
    }

    /** Who is at the other end, for messages; any thread. */
    @Override
    public String toString() {
        return session.getInetAddress().getHostAddress() + ":" + session.getPort();
    }

    @Override
    public Thread.Builder thread() {
        return Thread.ofVirtual();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        channel.close();
    }
}
