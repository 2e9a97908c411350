// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** One try to connect: all addresses of a host in turn, the first that answers wins. Lives until it has an outcome. */
final class Connector implements Registered {
    private final Reactor reactor;
    private final Connection connection;
    private final Address address;
    private final @Nullable TlsClient tls;
    private final Deque<SocketAddress> untried = new ArrayDeque<>();
    private @Nullable SocketChannel channel;
    private @Nullable SelectionKey key;

    /** @param tls null for plain bytes */
    Connector(Reactor reactor, Connection connection, Address address, @Nullable TlsClient tls) {
        this.reactor = reactor;
        this.connection = connection;
        this.address = address;
        this.tls = tls;
    }

    void start() {
        connection.connectsBy(this);
        switch (address) {
            case Address.Unix unix -> {
                untried.add(UnixDomainSocketAddress.of(unix.path()));
                tryNext(null);
            }
            case Address.Tcp tcp -> startTcp(tcp);
        }
    }

    private void startTcp(Address.Tcp tcp) {
        if (tcp.port() == 0) {
            fail("port 0 can only be listened on");
            return;
        }
        @Nullable InetAddress literal = literal(tcp.host());
        if (literal != null) {
            untried.add(new InetSocketAddress(literal, tcp.port()));
            tryNext(null);
            return;
        }
        // The system's resolver blocks, for many seconds if it must: never on the loop.
        Thread.ofPlatform().daemon().name("godwit-resolve-" + tcp.host()).start(() -> resolve(tcp));
    }

    private static @Nullable InetAddress literal(String host) {
        if (host.isEmpty()) {
            return InetAddress.getLoopbackAddress();
        }
        try {
            return InetAddress.ofLiteral(host);
        } catch (IllegalArgumentException name) {
            return null;
        }
    }

    private void resolve(Address.Tcp tcp) {
        try {
            InetAddress[] found = InetAddress.getAllByName(tcp.host());
            reactor.post(_ -> resolved(found, tcp.port()));
        } catch (UnknownHostException unknown) {
            reactor.post(_ -> fail("no address is known for this host name"));
        }
    }

    private void resolved(InetAddress[] found, int port) {
        if (connection.isEnding()) {
            return;
        }
        for (InetAddress one : found) {
            untried.add(new InetSocketAddress(one, port));
        }
        tryNext(null);
    }

    /** @param last why the one before failed */
    private void tryNext(@Nullable String last) {
        drop();
        @Nullable SocketAddress to = untried.poll();
        if (to == null) {
            fail(last == null ? "no address is known for this host name" : last);
            return;
        }
        SocketChannel opened;
        try {
            opened = Sockets.open(to);
        } catch (IOException failed) {
            fail(Reasons.of(failed)); // out of descriptors: another address would not help
            return;
        }
        channel = opened;
        try {
            SelectionKey registered = opened.register(reactor.selector(), 0, this);
            key = registered;
            if (opened.connect(to)) {
                reactor.post(this::finish);
            } else {
                registered.interestOps(SelectionKey.OP_CONNECT);
            }
        } catch (IOException failed) {
            tryNext(Reasons.of(failed));
        }
    }

    @Override
    public void ready(int readyOps, Handler handler) {
        finish(handler);
    }

    private void finish(Handler handler) {
        @Nullable SocketChannel done = channel;
        @Nullable SelectionKey registered = key;
        if (done == null || registered == null || connection.isEnding()) {
            return; // an abort that came first is the outcome
        }
        try {
            if (!done.finishConnect()) {
                return;
            }
            if (done.getLocalAddress().equals(done.getRemoteAddress()) && address instanceof Address.Tcp) {
                // Tcp lets a socket connect to itself, when the system happens to choose the port it wants to reach.
                tryNext("connection refused, nobody listens there");
                return;
            }
        } catch (IOException failed) {
            tryNext(Reasons.of(failed));
            return;
        }
        registered.interestOps(0);
        channel = null; // the connection's from here on
        key = null;
        if (tls != null) {
            secure(tls, done, registered, handler);
            return;
        }
        connection.open(done, registered, null);
        handler.connected(connection);
    }

    private void secure(TlsClient as, SocketChannel done, SelectionKey registered, Handler handler) {
        TlsStream stream = new TlsStream(as.credentials().client(as.hostname()), reactor.buffers());
        TlsHandshake handshake = new TlsHandshake(reactor, done, registered, stream, new TlsHandshake.Outcome() {
            @Override
            public boolean wanted() {
                return !connection.isEnding(); // an abort that came first is the outcome
            }

            @Override
            public void secured(Handler told) {
                connection.open(done, registered, stream);
                told.connected(connection);
            }

            @Override
            public void failed(String reason) {
                connection.fail("cannot connect to " + address + " with TLS: " + reason);
            }
        });
        connection.connectsBy(handshake);
        handshake.begin(handler);
    }

    private void fail(String why) {
        connection.fail("cannot connect to " + address + ": " + why);
    }

    /** Lets go of the channel of the current try. */
    @Override
    public void drop() {
        @Nullable SocketChannel old = channel;
        channel = null;
        key = null;
        if (old != null) {
            Sockets.closeQuietly(old);
        }
    }
}
