// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonLimits;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Address;
import io.godwit.net.BlockingSocket;
import io.godwit.net.Reasons;
import io.godwit.net.SecuredSocket;
import io.godwit.net.TlsClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Talks QMP to a Godwit or a QEMU ({@code spec/qmp.md §1}). Any number of threads may use it at once: answers are matched by id, never by
 * order. No wait is without a deadline, and {@link #close}, from any thread, ends them all.
 */
public final class QmpClient implements AutoCloseable {
    /** The longest message taken from a server, in bytes; QEMU's longest, its schema, has some hundred thousand. */
    public static final int MAX_MESSAGE = 16 << 20;

    private static final System.Logger LOG = System.getLogger(QmpClient.class.getName());
    private static final JsonLimits JSON =
            new JsonLimits(MAX_MESSAGE, JsonLimits.DEFAULT.maxDepth(), MAX_MESSAGE, false);

    private final String peer;
    private final QmpConnection connection;
    private final CompletableFuture<QmpMessage.Greeting> greeting = new CompletableFuture<>();
    private final Map<Json, CompletableFuture<QmpMessage>> underWay = new ConcurrentHashMap<>();
    private final Set<Consumer<QmpMessage.Event>> listeners = ConcurrentHashMap.newKeySet();
    private final Set<QmpEvents> streams = ConcurrentHashMap.newKeySet();
    private final AtomicLong ids = new AtomicLong();
    private volatile @Nullable QmpDisconnected end;
    private volatile boolean oob;

    private QmpClient(String peer, BlockingSocket socket) {
        this.peer = peer;
        this.connection = new QmpConnection(socket, MAX_MESSAGE, MAX_MESSAGE, new Incoming());
    }

    /** As {@link #connect(Address, TlsClient, Duration)}, without TLS. */
    public static QmpClient connect(Address address, Duration deadline) throws QmpException {
        return connect(address, null, deadline);
    }

    /**
     * Connects, reads the greeting and negotiates; enables out-of-band commands if the server offers them.
     *
     * @param tls how TLS is spoken, over tcp only; null: not at all
     * @param deadline for all of it
     * @throws QmpDisconnected if there is nobody, or somebody who speaks something else
     * @throws QmpTimeout if it is not done when {@code deadline} is over
     */
    public static QmpClient connect(Address address, @Nullable TlsClient tls, Duration deadline) throws QmpException {
        long until = System.nanoTime() + deadline.toNanos();
        QmpClient client = new QmpClient(address.toString(), connectSocket(address, tls, deadline));
        client.connection.start("qmp-client " + address);
        try {
            QmpMessage.Greeting greeting = client.await(
                    client.greeting,
                    left(until),
                    "'" + address + "' did not greet within " + deadline.toMillis() + " ms");
            boolean oob = greeting.capabilities().contains("oob");
            client.execute(
                    "qmp_capabilities",
                    oob
                            ? JsonObject.builder()
                                    .put("enable", Json.array(Json.of("oob")))
                                    .build()
                            : Json.object(),
                    left(until));
            client.oob = oob;
            return client;
        } catch (QmpException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** What the server said at first. */
    public QmpMessage.Greeting greeting() {
        return greeting.join();
    }

    /** Whether out-of-band commands may be used. */
    public boolean oob() {
        return oob;
    }

    /** Whether the connection stands, as far as is known. */
    public boolean isOpen() {
        return end == null;
    }

    /**
     * Has a command carried out in its turn and waits for its answer.
     *
     * @throws QmpError if the server refuses it
     * @throws QmpTimeout if there is no answer when {@code deadline} is over; an answer that comes later is thrown away
     * @throws QmpDisconnected if the connection is gone, or goes while waiting
     */
    public Json execute(String command, JsonObject arguments, Duration deadline) throws QmpException {
        return execute(command, arguments, deadline, false);
    }

    /** As {@link #execute}, but past all commands that wait. The server must know the command for one that can be ({@code spec/qmp.md §2}). */
    public Json executeOob(String command, JsonObject arguments, Duration deadline) throws QmpException {
        return execute(command, arguments, deadline, true);
    }

    /**
     * Has all further events told to {@code listener}, in order, on the reader's thread: it must not wait for anything, least of all for an
     * answer on this connection.
     */
    public void addListener(Consumer<QmpMessage.Event> listener) {
        listeners.add(listener);
    }

    public void removeListener(Consumer<QmpMessage.Event> listener) {
        listeners.remove(listener);
    }

    /** Collects all events from now on, until it is closed. */
    public QmpEvents events() {
        QmpEvents stream = new QmpEvents(streams::remove);
        streams.add(stream);
        QmpDisconnected reason = end;
        if (reason != null) {
            stream.end(reason);
        }
        return stream;
    }

    /** Waits for an event that comes from now on. One that a command brings about may be there before this is called: use {@link #events}. */
    public QmpMessage.Event awaitEvent(Predicate<QmpMessage.Event> wanted, Duration deadline) throws QmpException {
        try (QmpEvents stream = events()) {
            return stream.await(wanted, deadline);
        }
    }

    @Override
    public void close() {
        ended(new QmpDisconnected("the connection to '" + peer + "' was closed here", null));
        connection.abort();
    }

    private Json execute(String command, JsonObject arguments, Duration deadline, boolean outOfBand)
            throws QmpException {
        Json id = Json.of(ids.incrementAndGet());
        CompletableFuture<QmpMessage> answer = new CompletableFuture<>();
        underWay.put(id, answer);
        try {
            QmpDisconnected reason = end;
            if (reason != null) {
                throw new QmpDisconnected(String.valueOf(reason.getMessage()), reason);
            }
            if (!connection.offer(new QmpMessage.Command(command, arguments, id, outOfBand))) {
                throw new QmpDisconnected(
                        "'" + peer + "' does not read what it is sent; the connection is closed", null);
            }
            String late = "'" + peer + "' did not answer '" + command + "' within " + deadline.toMillis() + " ms";
            return switch (await(answer, deadline, late)) {
                case QmpMessage.Return result -> result.value();
                case QmpMessage.ErrorReply refusal -> throw new QmpError(refusal.errorClass(), refusal.description());
                case QmpMessage.Greeting _, QmpMessage.Command _, QmpMessage.Event _ ->
                    throw new IllegalStateException("not an answer");
            };
        } finally {
            underWay.remove(id);
        }
    }

    private <T> T await(CompletableFuture<T> future, Duration deadline, String late) throws QmpException {
        try {
            return future.copy()
                    .orTimeout(deadline.toNanos(), TimeUnit.NANOSECONDS)
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TimeoutException) {
                throw new QmpTimeout(late);
            }
            if (e.getCause() instanceof QmpDisconnected reason) {
                throw new QmpDisconnected(String.valueOf(reason.getMessage()), reason);
            }
            throw e;
        }
    }

    private void ended(QmpDisconnected reason) {
        synchronized (this) {
            if (end == null) {
                end = reason;
            }
        }
        greeting.completeExceptionally(reason);
        underWay.values().forEach(answer -> answer.completeExceptionally(reason));
        streams.forEach(stream -> stream.end(reason));
    }

    private static Duration left(long until) {
        return Duration.ofNanos(Math.max(0, until - System.nanoTime()));
    }

    /** A blocking connect, but with a deadline: another thread closes the socket if it takes too long. */
    private static BlockingSocket connectSocket(Address address, @Nullable TlsClient tls, Duration deadline)
            throws QmpException {
        if (tls != null && !(address instanceof Address.Tcp)) {
            throw new QmpDisconnected("QMP speaks TLS over tcp only, and not to '" + address + "'", null);
        }
        CompletableFuture<BlockingSocket> connected = new CompletableFuture<>();
        try {
            SocketChannel channel = switch (address) {
                case Address.Unix _ -> SocketChannel.open(StandardProtocolFamily.UNIX);
                case Address.Tcp _ -> SocketChannel.open();
            };
            Thread.ofVirtual().name("qmp-connect " + address).start(() -> {
                try {
                    channel.connect(
                            switch (address) {
                                case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
                                case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
                            });
                    connected.complete(tls == null ? BlockingSocket.of(channel) : secured(channel, tls));
                } catch (IOException | RuntimeException e) {
                    connected.completeExceptionally(e);
                }
            });
            try {
                return connected
                        .orTimeout(deadline.toNanos(), TimeUnit.NANOSECONDS)
                        .join();
            } catch (CompletionException e) {
                channel.close();
                if (e.getCause() instanceof TimeoutException) {
                    throw new QmpTimeout("no connection to '" + address + "' within " + deadline.toMillis() + " ms");
                }
                throw unreachable(address, e.getCause());
            }
        } catch (IOException e) {
            throw unreachable(address, e);
        }
    }

    private static BlockingSocket secured(SocketChannel channel, TlsClient tls) throws IOException {
        SecuredSocket socket = SecuredSocket.client(channel, tls);
        socket.handshake();
        return socket;
    }

    private static QmpDisconnected unreachable(Address address, @Nullable Throwable cause) {
        String why = switch (cause) {
            case UnresolvedAddressException _ -> "the host's name is unknown";
            case IOException e -> Reasons.of(e);
            case null -> "for an unknown reason";
            default -> String.valueOf(cause.getMessage());
        };
        return new QmpDisconnected("cannot connect to '" + address + "': " + why, cause);
    }

    /** What the reader's thread does. */
    private final class Incoming implements QmpConnection.Handler {
        @Override
        public void text(byte[] utf8) {
            try {
                message(QmpMessage.parse(Json.parse(utf8, JSON)));
            } catch (JsonSyntaxException | QmpFormatException e) {
                bad(String.valueOf(e.getMessage()));
            }
        }

        private void message(QmpMessage message) {
            switch (message) {
                case QmpMessage.Greeting hello -> greeting.complete(hello);
                case QmpMessage.Return answer -> answered(answer.id(), answer);
                case QmpMessage.ErrorReply answer -> answered(answer.id(), answer);
                case QmpMessage.Event event -> happened(event);
                case QmpMessage.Command command -> bad("it sent the command '" + command.name() + "'");
            }
        }

        private void answered(@Nullable Json id, QmpMessage answer) {
            if (id == null) {
                // Every command of ours has an id, so the server did not even understand that it was one.
                String what = answer instanceof QmpMessage.ErrorReply refusal ? ": " + refusal.description() : "";
                bad("it answered without an id" + what);
                return;
            }
            CompletableFuture<QmpMessage> waits = underWay.get(id);
            if (waits == null) {
                LOG.log(System.Logger.Level.DEBUG, () -> "an answer from '" + peer + "' came too late: id " + id);
            } else {
                waits.complete(answer);
            }
        }

        private void happened(QmpMessage.Event event) {
            streams.forEach(stream -> stream.add(event));
            for (Consumer<QmpMessage.Event> listener : listeners) {
                try {
                    listener.accept(event);
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "a listener failed on " + event, e);
                }
            }
        }

        /** Who breaks the protocol once cannot be believed afterwards. */
        @Override
        public void bad(String reason) {
            QmpClient.this.ended(new QmpDisconnected("'" + peer + "' does not speak QMP: " + reason, null));
            connection.abort();
        }

        @Override
        public void ended(String reason) {
            QmpClient.this.ended(new QmpDisconnected("the connection to '" + peer + "' is gone: " + reason, null));
            connection.abort();
        }
    }
}
