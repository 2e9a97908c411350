// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** A socket that accepts; made by {@link Reactor#listen}, used on the reactor's owner thread only. */
public final class Listener {

    /** At most so many are accepted before other sockets have their turn. */
    private static final int ACCEPT_BATCH = 16;

    private final Reactor reactor;
    private final Address address;
    private final ServerSocketChannel channel;
    private final SelectionKey key;
    private final @Nullable SocketFile file;
    private long pausedUntil;
    private boolean troubled;
    private @Nullable Object attachment;

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
            Connection connection;
            try {
                SocketChannel accepted = channel.accept();
                if (accepted == null) {
                    troubled = false;
                    return;
                }
                connection = adopt(accepted);
            } catch (IOException failed) {
                pause(handler, failed);
                return;
            }
            handler.accepted(this, connection);
        }
    }

    private Connection adopt(SocketChannel accepted) throws IOException {
        try {
            SocketAddress local = accepted.getLocalAddress();
            Sockets.tune(accepted, local);
            return Connection.accepted(reactor, address, accepted);
        } catch (IOException failed) {
            accepted.close();
            throw failed;
        }
    }

    private void pause(Handler handler, IOException failed) {
        // The selector would report this listener for ever and the loop would spin: no interest until the pause is
        // over.
        key.interestOps(0);
        pausedUntil = System.nanoTime() + Reactor.ACCEPT_PAUSE_NANOS;
        reactor.pause(this);
        if (!troubled) {
            troubled = true;
            handler.acceptFailed(this, "cannot accept on " + address + ": " + Reasons.of(failed));
        }
    }

    long pauseLeft(long now) {
        return pausedUntil - now;
    }

    void endPause() {
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
