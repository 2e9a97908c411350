// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A socket that accepts; made by {@link Reactor#listen}, used on the reactor's owner thread only. */
public final class Listener implements Timed {

    /** At most so many are accepted before other sockets have their turn. */
    private static final int ACCEPT_BATCH = 16;

    /** At most so many TLS handshakes at a time: the oldest makes way for a newer one. */
    private static final int HANDSHAKES = 32;

    private final Reactor reactor;
    private final Address address;
    private final ServerSocketChannel channel;
    private final SelectionKey key;
    private final @Nullable SocketFile file;
    private long pausedUntil;
    private boolean troubled;
    private @Nullable Object attachment;
    private @Nullable TlsCredentials tls;
    private final ArrayDeque<TlsHandshake> handshakes = new ArrayDeque<>();

    private Listener(Reactor reactor, Address address, ServerSocketChannel channel, @Nullable SocketFile file)
            throws IOException {
        this.reactor = reactor;
        this.address = address;
        this.channel = channel;
        this.file = file;
        channel.configureBlocking(false);
        this.key = channel.register(reactor.selector(), SelectionKey.OP_ACCEPT, new Readiness());
    }

    static Listener open(Reactor reactor, Address address) throws IOException {
        Binding bound = Binding.bind(address);
        try {
            return new Listener(reactor, bound.address(), bound.channel(), bound.file());
        } catch (IOException failed) {
            bound.undo();
            throw failed;
        }
    }

    /** Where it really listens: the port that the system chose in place of 0. */
    public Address address() {
        return address;
    }

    /** What the owner hung on it. */
    public @Nullable Object attachment() {
        return attachment;
    }

    /** Hangs something of the owner's on it. */
    public void attach(@Nullable Object anything) {
        attachment = anything;
    }

    public boolean isOpen() {
        return channel.isOpen();
    }

    /**
     * From now on whoever connects has to speak TLS, and {@link Handler#accepted} is told when the handshake is over.
     *
     * @param credentials of a server; null: plain bytes again
     * @throws IllegalArgumentException if they are a client's
     */
    public void secure(@Nullable TlsCredentials credentials) {
        if (credentials != null && credentials.role() != TlsCredentials.Role.SERVER) {
            throw new IllegalArgumentException("who listens needs credentials with endpoint=server");
        }
        tls = credentials;
    }

    /**
     * Stops listening at once, with those that nobody accepted yet; removes the file of a unix socket if it is still
     * the one that was made here. Again does nothing.
     */
    public void close() {
        if (!channel.isOpen()) {
            return;
        }
        drop();
        reactor.purge();
    }

    private void drop() {
        reactor.forget(this);
        while (!handshakes.isEmpty()) {
            handshakes.remove().drop();
        }
        try {
            // The file first: while the socket lives its inode number cannot be used again, so "still ours" is certain.
            if (file != null) {
                file.removeIfOurs();
            }
            channel.close();
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot stop listening on " + address, failed);
        }
    }

    private void acceptAll(Handler handler) {
        for (int i = 0; i < ACCEPT_BATCH && channel.isOpen(); i++) {
            SocketChannel accepted;
            try {
                accepted = channel.accept();
                if (accepted == null) {
                    troubled = false;
                    return;
                }
                adopt(accepted, handler);
            } catch (IOException failed) {
                pause(handler, failed);
                return;
            }
        }
    }

    private void adopt(SocketChannel accepted, Handler handler) throws IOException {
        Connection connection;
        SelectionKey registered;
        try {
            SocketAddress local = accepted.getLocalAddress();
            Sockets.tune(accepted, local);
            connection = new Connection(reactor, OtherEnd.of(accepted, address));
            registered = accepted.register(reactor.selector(), 0);
        } catch (IOException failed) {
            accepted.close();
            throw failed;
        }
        TlsCredentials credentials = tls;
        if (credentials == null) {
            connection.open(accepted, registered, null);
            handler.accepted(this, connection);
        } else {
            secure(credentials, accepted, registered, connection, handler);
        }
    }

    private void secure(
            TlsCredentials credentials,
            SocketChannel accepted,
            SelectionKey registered,
            Connection connection,
            Handler handler) {
        if (handshakes.size() >= HANDSHAKES) {
            handshakes.element().give("too many others want one");
        }
        TlsStream stream = new TlsStream(credentials.server(), reactor.buffers());
        TlsHandshake handshake = new TlsHandshake(reactor, accepted, registered, stream, new TlsHandshake.Outcome() {
            @Override
            public void secured(Handler told) {
                connection.open(accepted, registered, stream);
                told.accepted(Listener.this, connection);
            }

            @Override
            public void failed(String reason) {
                reactor.post(told -> told.refused(
                        Listener.this, connection.peer() + " came to no TLS session on " + address + ": " + reason));
            }
        });
        handshakes.add(handshake);
        handshake.afterwards(() -> handshakes.remove(handshake));
        handshake.begin(handler);
    }

    private void pause(Handler handler, IOException failed) {
        // The selector would report this listener for ever and the loop would spin: no interest until the pause is
        // over.
        key.interestOps(0);
        pausedUntil = System.nanoTime() + Reactor.ACCEPT_PAUSE_NANOS;
        reactor.await(this);
        if (!troubled) {
            troubled = true;
            handler.acceptFailed(this, "cannot accept on " + address + ": " + Reasons.of(failed));
        }
    }

    @Override
    public long left(long now) {
        return pausedUntil - now;
    }

    @Override
    public void due() {
        key.interestOps(SelectionKey.OP_ACCEPT);
    }

    @Override
    public String toString() {
        return "listener on " + address;
    }

    /** What the selector sees of it. */
    private final class Readiness implements Registered {
        @Override
        public void ready(int readyOps, Handler handler) {
            acceptAll(handler);
        }

        @Override
        public void drop() {
            Listener.this.drop();
        }
    }
}
