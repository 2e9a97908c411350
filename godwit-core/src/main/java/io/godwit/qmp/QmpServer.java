// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.BlockingSocket;
import io.godwit.net.BoundSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Serves QMP to several clients at once ({@code spec/qmp.md §1}), on a unix socket that only its owner can open or on this host's loopback.
 *
 * <p>Each session has three threads of its own: one reads, and carries out what comes out-of-band; one carries out the other commands in
 * their order; one writes. What waits for a unix socket, over which descriptors may come, is a platform thread; the others are virtual. {@link #broadcast} never waits: a client that does not read loses its connection once a bounded
 * queue is full. Every method may be called from any thread.
 */
public final class QmpServer implements AutoCloseable {
    /**
     * How much is kept for, and taken from, clients.
     *
     * @param maxClients sessions at once; one more is told so and closed
     * @param maxMessageBytes the longest command
     * @param maxUnreadBytes what may wait for a client that does not read, in its session
     */
    public record Limits(int maxClients, int maxMessageBytes, int maxUnreadBytes) {
        public static final Limits DEFAULT = new Limits(16, 1 << 20, 1 << 20);
    }

    private static final System.Logger LOG = System.getLogger(QmpServer.class.getName());
    private static final Duration FLUSH = Duration.ofSeconds(1);
    private static final long RETRY_ACCEPT_MILLIS = 100;

    private final BoundSocket socket;
    private final CommandTable commands;
    private final InstantSource clock;
    private final Limits limits;
    private final Set<QmpSession> sessions = ConcurrentHashMap.newKeySet();
    private final AtomicLong sessionCounter = new AtomicLong();
    private final CompletableFuture<Void> closing = new CompletableFuture<>();

    private QmpServer(BoundSocket socket, CommandTable commands, InstantSource clock, Limits limits) {
        this.socket = socket;
        this.commands = commands;
        this.clock = clock;
        this.limits = limits;
    }

    /** As {@link #listen(Address, CommandTable, InstantSource, Limits)}, with the system's clock and {@link Limits#DEFAULT}. */
    public static QmpServer listen(Address address, CommandTable commands) throws IOException {
        return listen(address, commands, InstantSource.system(), Limits.DEFAULT);
    }

    /**
     * Begins to serve. A unix socket's file gets mode 0600; the file of an owner who is dead is replaced, that of a live one is not.
     *
     * @param clock for the timestamps of events
     * @throws IOException whose message is a sentence for people
     */
    public static QmpServer listen(Address address, CommandTable commands, InstantSource clock, Limits limits)
            throws IOException {
        QmpServer server = new QmpServer(bind(address), commands, clock, limits);
        server.socket.thread().name("qmp-accept " + server.address()).start(server::accept);
        return server;
    }

    /** Who may connect may do everything: so it is a file that only its owner may open, or a port that only this host reaches. */
    private static BoundSocket bind(Address address) throws IOException {
        if (address instanceof Address.Tcp tcp && !isLoopback(tcp)) {
            throw new IOException("QMP is not served on " + tcp + ": it knows no password, so over TCP it is served on"
                    + " this host's loopback alone; use tcp:127.0.0.1:" + tcp.port() + " or unix:PATH");
        }
        return BoundSocket.bind(address);
    }

    private static boolean isLoopback(Address.Tcp tcp) throws IOException {
        try {
            return !tcp.host().isEmpty() && InetAddress.getByName(tcp.host()).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IOException("cannot listen on " + tcp + ": no address is known for this host name", e);
        }
    }

    /** Where it listens; with port 0 asked for, this has the one that the system chose. */
    public Address address() {
        return socket.address();
    }

    /** How many clients are connected. */
    public int clients() {
        return sessions.size();
    }

    /** Sends an event to every client that has negotiated. Never waits. */
    public void broadcast(String event, JsonObject data) {
        QmpMessage.Event message = QmpMessage.Event.at(clock.instant(), event, data);
        sessions.forEach(session -> session.event(message));
    }

    /**
     * Stops listening, removes the socket's file, lets commands that have begun end and what is queued be written, for at most a second,
     * and closes all connections.
     */
    @Override
    public void close() {
        if (!closing.complete(null)) {
            return;
        }
        try {
            socket.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "closing QMP's socket " + address(), e);
        }
        sessions.forEach(QmpSession::finish);
        CompletableFuture.allOf(sessions.stream().map(QmpSession::closed).toArray(CompletableFuture<?>[]::new))
                .completeOnTimeout(null, FLUSH.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        sessions.forEach(QmpSession::abort);
        sessions.clear(); // a session takes itself out a moment after its socket is closed
    }

    private void accept() {
        while (!closing.isDone()) {
            try {
                welcome(socket.accept());
            } catch (ClosedChannelException e) {
                LOG.log(System.Logger.Level.TRACE, "no longer listening", e);
                return;
            } catch (IOException e) {
                // For example no file descriptor is free: that may pass.
                LOG.log(System.Logger.Level.WARNING, "QMP cannot accept a connection on " + address(), e);
                closing.copy()
                        .completeOnTimeout(null, RETRY_ACCEPT_MILLIS, TimeUnit.MILLISECONDS)
                        .join();
            }
        }
    }

    private void welcome(BlockingSocket client) throws IOException {
        if (sessions.size() >= limits.maxClients()) {
            sendAway(client);
            return;
        }
        String name = "qmp-" + sessionCounter.incrementAndGet();
        QmpSession session = new QmpSession(client, commands, limits);
        sessions.add(session);
        var _ = session.closed().thenRun(() -> sessions.remove(session));
        session.start(name);
        if (closing.isDone()) {
            session.abort();
        }
    }

    private void sendAway(BlockingSocket client) throws IOException {
        QmpMessage sorry = new QmpMessage.ErrorReply(
                QmpError.GENERIC,
                "this endpoint serves " + limits.maxClients() + " QMP clients at once, and so many are connected",
                null);
        byte[] line = (sorry.toJson() + "\r\n").getBytes(StandardCharsets.UTF_8);
        try (client) {
            // A fresh socket has room for a line: nobody is waited for.
            client.write(ByteBuffer.allocateDirect(line.length).put(line).flip());
        }
    }
}
