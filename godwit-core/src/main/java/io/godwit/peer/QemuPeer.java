// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonTypeException;
import io.godwit.net.Address;
import io.godwit.net.TlsClient;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU's QMP socket. Every method may be called from any thread; each ends within the time given for an answer, or its own deadline, or at once when
 * {@link #close} is called.
 *
 * <p>Commands use the connection that stands. Only {@link #state} and what is built on it connect again when it is lost, so that a command is never carried out twice.
 */
public final class QemuPeer implements AutoCloseable {
    /** How long a state stays unasked while no event comes, in ms: some changes of status come without one (a failed reconnect on 11.1, everything without {@code events}). */
    private static final long ASK_AGAIN_MS = 100;

    private static final String MACHINE_SUFFIX = "-machine";
    private static final int SAME_STATUS_TRIES = 5;

    private final Address address;
    private final @Nullable TlsClient tls;
    private final Duration answer;
    private final PeerLog log = new PeerLog();
    private volatile QmpClient client;
    private volatile boolean closed;
    private final PeerIdentity identity;

    private QemuPeer(Address address, @Nullable TlsClient tls, Duration answer) throws PeerException {
        this.address = address;
        this.tls = tls;
        this.answer = answer;
        this.client = open(address, tls, answer, log);
        try {
            this.identity = identify(client);
        } catch (PeerException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** As {@link #connect(Address, TlsClient, Duration)}, without TLS. */
    public static QemuPeer connect(Address address, Duration answer) throws PeerException {
        return connect(address, null, answer);
    }

    /**
     * Connects and asks who it is.
     *
     * @param tls how TLS is spoken, over tcp only; null: not at all
     * @param answer how long to wait for a connection, and for each answer
     */
    public static QemuPeer connect(Address address, @Nullable TlsClient tls, Duration answer) throws PeerException {
        return new QemuPeer(address, tls, answer);
    }

    public Address address() {
        return address;
    }

    /** As it was at the first connection. */
    public PeerIdentity identity() {
        return identity;
    }

    public PeerHistory history() {
        return log.history();
    }

    /** How it is called in error messages. */
    String name() {
        return "QEMU " + identity.version() + " at '" + address + "'";
    }

    /**
     * What it says about itself now. Connects again if the connection is lost.
     *
     * @throws PeerException also if another process answers: {@link PeerException.Kind#NOT_UNDERSTOOD}
     */
    public PeerState state() throws PeerException {
        return understood(() -> {
            QmpClient now = connected();
            // Two questions: ask around until the status is the same before and after the run state, so that the pair
            // was true at one moment.
            JsonObject migrate = ask(now, "query-migrate");
            PeerState state = null;
            for (int i = 0; i < SAME_STATUS_TRIES; i++) {
                JsonObject status = ask(now, "query-status");
                JsonObject again = ask(now, "query-migrate");
                state = PeerState.of(again, status);
                if (again.string("status", PeerState.NONE).equals(migrate.string("status", PeerState.NONE))) {
                    break;
                }
                migrate = again;
            }
            PeerState last = Objects.requireNonNull(state);
            log.seen(last);
            return last;
        });
    }

    /**
     * Asks whenever an event comes, and from time to time, until the state is as wanted.
     *
     * @param wanted what is waited for, as the end of "did not become ..."
     */
    public PeerState await(Predicate<PeerState> condition, String wanted, Duration deadline) throws PeerException {
        long until = System.nanoTime() + deadline.toNanos();
        while (true) {
            CompletableFuture<@Nullable Void> news = log.news();
            PeerState state = state();
            if (condition.test(state)) {
                return state;
            }
            if (System.nanoTime() - until >= 0) {
                throw new PeerException(
                        PeerException.Kind.NO_ANSWER,
                        name() + " did not become " + wanted + " within " + deadline.toMillis() + " ms; it is: "
                                + state,
                        null);
            }
            pause(news, until);
        }
    }

    /** Whether something of this type is still at work there, so that {@code yank} could break it. */
    boolean yankable(String type) throws PeerException {
        return understood(() -> {
            if (!(command("query-yank", Json.object()) instanceof JsonArray instances)) {
                throw new JsonTypeException("the answer to 'query-yank' is no array");
            }
            for (int i = 0; i < instances.size(); i++) {
                if (instances.object(i).string("type").equals(type)) {
                    return true;
                }
            }
            return false;
        });
    }

    /** Waits until there is news or it is time to ask again, at most until the deadline. */
    void pause(CompletableFuture<@Nullable Void> news, long until) throws PeerException {
        if (closed) {
            throw closedHere();
        }
        PeerLog.await(news, Math.min(until - System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(ASK_AGAIN_MS)));
    }

    PeerLog log() {
        return log;
    }

    /**
     * Sets capabilities, then parameters, and reads both back. Nothing moves by this. What the peer does not know is found before anything is set; what it does
     * not take is refused by it, the capabilities as a whole and the parameters as a whole. What was set before is not put back.
     *
     * @throws PeerException with a sentence that names all that it does not know, or what it does not take
     */
    public void prepare(MigrationTerms terms) throws PeerException {
        understood(() -> {
            new PeerSettings(this, terms).apply();
            return Json.object();
        });
    }

    /** Has a command carried out, on the connection that stands. */
    Json command(String name, JsonObject arguments) throws PeerException {
        try {
            return client.execute(name, arguments, answer);
        } catch (QmpException e) {
            throw closed ? closedHere() : PeerException.asking(name(), name, e);
        }
    }

    /** As {@link #command}, past a monitor that is busy, if the peer can ({@code spec/qmp.md §2}: migrate-pause, migrate-recover). */
    Json commandOutOfBand(String name, JsonObject arguments) throws PeerException {
        QmpClient now = client;
        if (!now.oob()) {
            return command(name, arguments);
        }
        try {
            return now.executeOob(name, arguments, answer);
        } catch (QmpException e) {
            throw closed ? closedHere() : PeerException.asking(name(), name, e);
        }
    }

    /** Ends every wait; later calls fail. The QEMU goes on. */
    @Override
    public void close() {
        closed = true;
        client.close();
        log.wake();
    }

    interface Question<T> {
        T ask() throws PeerException;
    }

    /** Makes a member that is missing or of another type an error of the peer's. */
    <T> T understood(Question<T> question) throws PeerException {
        try {
            return question.ask();
        } catch (JsonTypeException | IllegalArgumentException e) {
            throw new PeerException(
                    PeerException.Kind.NOT_UNDERSTOOD,
                    name() + " answered what is not understood: " + e.getMessage(),
                    e);
        }
    }

    private synchronized QmpClient connected() throws PeerException {
        if (closed) {
            throw closedHere();
        }
        if (client.isOpen()) {
            return client;
        }
        QmpClient fresh = open(address, tls, answer, log);
        log.gap();
        client = fresh;
        if (closed) {
            fresh.close();
            throw closedHere();
        }
        PeerIdentity now;
        try {
            now = identify(fresh);
        } catch (PeerException | RuntimeException e) {
            fresh.close();
            throw e;
        }
        if (!now.equals(identity)) {
            fresh.close();
            throw new PeerException(
                    PeerException.Kind.NOT_UNDERSTOOD,
                    "another QEMU answers at '" + address + "' now: it was " + identity + ", it is " + now,
                    null);
        }
        return fresh;
    }

    private PeerException closedHere() {
        return new PeerException(PeerException.Kind.LOST, "the connection to " + name() + " was closed here", null);
    }

    private static QmpClient open(Address address, @Nullable TlsClient tls, Duration answer, PeerLog log)
            throws PeerException {
        try {
            QmpClient client = QmpClient.connect(address, tls, answer);
            client.addListener(log::event);
            return client;
        } catch (QmpException e) {
            throw PeerException.connecting(address, e);
        }
    }

    private JsonObject ask(QmpClient now, String command) throws PeerException {
        return ask(now, command, Json.object(), name(), answer) instanceof JsonObject object
                ? object
                : notAnObject(command);
    }

    private static JsonObject notAnObject(String command) {
        throw new JsonTypeException("the answer to '" + command + "' is no object");
    }

    private static Json ask(QmpClient now, String command, JsonObject arguments, String who, Duration answer)
            throws PeerException {
        try {
            return now.execute(command, arguments, answer);
        } catch (QmpException e) {
            throw PeerException.asking(who, command, e);
        }
    }

    private PeerIdentity identify(QmpClient now) throws PeerException {
        String who = "QEMU at '" + address + "'";
        try {
            PeerVersion version = PeerVersion.of(now.greeting().version());
            JsonObject typeOfMachine = JsonObject.builder()
                    .put("path", "/machine")
                    .put("property", "type")
                    .build();
            JsonObject answers = JsonObject.builder()
                    .put("type", ask(now, "qom-get", typeOfMachine, who, answer))
                    .put("memory", ask(now, "query-memory-size-summary", Json.object(), who, answer))
                    .put("uuid", ask(now, "query-uuid", Json.object(), who, answer))
                    .build();
            String machine = answers.string("type");
            JsonObject memory = answers.object("memory");
            return new PeerIdentity(
                    version,
                    machine.endsWith(MACHINE_SUFFIX)
                            ? machine.substring(0, machine.length() - MACHINE_SUFFIX.length())
                            : machine,
                    Math.addExact(memory.int64("base-memory"), memory.int64("plugged-memory", 0)),
                    answers.object("uuid").string("UUID"));
        } catch (JsonTypeException | ArithmeticException e) {
            throw new PeerException(
                    PeerException.Kind.NOT_UNDERSTOOD,
                    who + " does not say what it is in a way that is understood: " + e.getMessage(),
                    e);
        }
    }
}
