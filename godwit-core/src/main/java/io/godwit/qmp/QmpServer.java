// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.BlockingSocket;
import io.godwit.net.BoundSocket;
import io.godwit.net.SecuredSocket;
import io.godwit.net.TlsCredentials;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Serves QMP to several clients at once ({@code spec/qmp.md §1}), for those whom a {@link QmpAccess} lets in.
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
     * @param handshake how long a client may take to begin TLS and show who it is
     */
    public record Limits(int maxClients, int maxMessageBytes, int maxUnreadBytes, Duration handshake) {
        public static final Limits DEFAULT = new Limits(16, 1 << 20, 1 << 20, Duration.ofSeconds(10));
    }

    private static final System.Logger LOG = System.getLogger(QmpServer.class.getName());
    private static final Duration FLUSH = Duration.ofSeconds(1);
    private static final long RETRY_ACCEPT_MILLIS = 100;
    private static final long WARNED_NANOS = 1_000_000_000;

    private final BoundSocket socket;
    private final @Nullable TlsCredentials credentials;
    private final CommandTable commands;
    private final InstantSource clock;
    private final Limits limits;
    private final Set<QmpSession> sessions = ConcurrentHashMap.newKeySet();
    /** Nobody knows yet who they are; the longest there first. What is done when one is known, or sent away, ends the wait for him. */
    private final Map<SecuredSocket, CompletableFuture<Void>> strangers = new LinkedHashMap<>();

    private final AtomicLong warned = new AtomicLong(Long.MIN_VALUE);

    private final AtomicLong sessionCounter = new AtomicLong();
    private final CompletableFuture<Void> closing = new CompletableFuture<>();

    private QmpServer(
            BoundSocket socket,
            @Nullable TlsCredentials credentials,
            CommandTable commands,
            InstantSource clock,
            Limits limits) {
        this.socket = socket;
        this.credentials = credentials;
        this.commands = commands;
        this.clock = clock;
        this.limits = limits;
    }

    /** As {@link #listen(QmpAccess, CommandTable, InstantSource, Limits)}, for this host alone, with the system's clock and {@link Limits#DEFAULT}. */
    public static QmpServer listen(Address address, CommandTable commands) throws IOException {
        return listen(QmpAccess.local(address), commands, InstantSource.system(), Limits.DEFAULT);
    }

    /**
     * Begins to serve. A unix socket's file gets mode 0600; the file of an owner who is dead is replaced, that of a live one is not.
     *
     * @param clock for the timestamps of events
     * @throws IOException whose message is a sentence for people; also for an address at which anybody could come in
     */
    public static QmpServer listen(QmpAccess access, CommandTable commands, InstantSource clock, Limits limits)
            throws IOException {
        access.check();
        QmpServer server =
                new QmpServer(BoundSocket.bind(access.address()), access.credentials(), commands, clock, limits);
        server.socket.thread().name("qmp-accept " + server.address()).start(server::accept);
        return server;
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
        List<SecuredSocket> unknown;
        synchronized (strangers) {
            unknown = List.copyOf(strangers.keySet());
        }
        unknown.forEach(stranger -> sendAway(stranger, "QMP is being ended"));
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
        TlsCredentials known = credentials;
        if (known != null && client instanceof BlockingSocket.Plain(SocketChannel accepted)) {
            ask(SecuredSocket.server(accepted, known));
        } else {
            serve(client);
        }
    }

    /** Has the client show who it is, in a thread of its own: the next one is not kept waiting by it. Where too many do so, the one that is at it longest makes way. */
    private void ask(SecuredSocket stranger) {
        CompletableFuture<Void> known = new CompletableFuture<>();
        SecuredSocket first = null;
        synchronized (strangers) {
            if (strangers.size() >= limits.maxClients()) {
                first = strangers.keySet().iterator().next();
            }
            strangers.put(stranger, known);
        }
        if (first != null) {
            sendAway(first, "too many others wait to be let in");
        }
        if (closing.isDone()) {
            sendAway(stranger, "QMP is being ended");
            return;
        }
        String late = "it did not show within " + limits.handshake().toMillis() + " ms who it is";
        var _ = known.completeOnTimeout(null, limits.handshake().toMillis(), TimeUnit.MILLISECONDS)
                .thenRun(() -> sendAway(stranger, late));
        stranger.thread().name("qmp-tls").start(() -> {
            try {
                stranger.handshake();
                if (noStranger(stranger)) {
                    serve(stranger);
                }
            } catch (IOException e) {
                sendAway(stranger, String.valueOf(e.getMessage()));
            }
        });
    }

    /** Whether it was one until now. */
    private boolean noStranger(SecuredSocket stranger) {
        CompletableFuture<Void> known;
        synchronized (strangers) {
            known = strangers.remove(stranger);
        }
        if (known != null) {
            known.complete(null);
        }
        return known != null;
    }

    /** Whoever is known by now is no stranger any more. */
    private void sendAway(SecuredSocket stranger, String why) {
        if (!noStranger(stranger)) {
            return;
        }
        if (!closing.isDone()) {
            LOG.log(
                    quietly() ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
                    () -> "a client of QMP at " + address() + ", " + stranger + ", is not let in: " + why);
        }
        try {
            stranger.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing a connection to QMP", e);
        }
    }

    /** Whether such a thing was said just now: who is not let in must not fill a log. */
    private boolean quietly() {
        long now = System.nanoTime();
        long last = warned.get();
        return (last != Long.MIN_VALUE && now - last < WARNED_NANOS) || !warned.compareAndSet(last, now);
    }

    private synchronized void serve(BlockingSocket client) throws IOException {
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
