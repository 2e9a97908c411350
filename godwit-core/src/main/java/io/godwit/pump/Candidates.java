// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.Parameters;
import io.godwit.wire.FirstBytes;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Connections that have not shown yet what they are. Each is judged by its first bytes, off everything that matters: a health check, a half-dead proxy or a stranger costs
 * nothing and changes nothing. A silent one is dropped after the handshake's deadline, but for a few that may be the preempt channel of a live main channel
 * ({@code spec/sequences.md §7}: nothing comes on it before the first requested page). Among those the first that came after main is the likeliest, so a crowd is
 * thinned from its other end. Whether the preempt channel is used is the source's choice alone: the capability is not asked here. Used by the loop only.
 */
final class Candidates {
    /** What a connection turned out to be. */
    enum Verdict {
        /** Not known yet, or not its time yet. */
        WAIT,
        /** Not wanted: it was dropped. */
        DROPPED,
        MAIN,
        RECOVERY,
        PREEMPT,
        MULTIFD,
        /** It says that it is what another connection is already: it was dropped, and which of them is right cannot be told. */
        CLASH
    }

    /** More than are accepted at once, so that one that speaks is heard before it could be thinned out. */
    private static final int MOST = 24;

    /** How many may be silent without a deadline. */
    private static final int MOST_SILENT = 4;

    private static final class Candidate {
        final String peer;
        final long since;
        boolean spoke;
        boolean held;
        /** Held, and nothing more is to be read meanwhile, not even its end. */
        boolean unread;

        Candidate(String peer, long since) {
            this.peer = peer;
            this.since = since;
        }
    }

    private final MigrationOptions options;
    private final IncomingPages pages;
    private final @Nullable MultifdIncoming multifd;
    private final DestinationHost host;
    private final DestinationStats stats;
    private final Map<Integer, Candidate> waiting = new LinkedHashMap<>();
    private Parameters parameters;

    Candidates(
            MigrationOptions options,
            Parameters parameters,
            IncomingPages pages,
            @Nullable MultifdIncoming multifd,
            DestinationHost host,
            DestinationStats stats) {
        this.options = options;
        this.parameters = parameters;
        this.pages = pages;
        this.multifd = multifd;
        this.host = host;
        this.stats = stats;
    }

    void parameters(Parameters changed) {
        parameters = changed;
    }

    /** @param main number of the main channel's connection, or -1; numbers grow in the order in which connections were accepted */
    void add(int connection, String peer, int main, long now) {
        long silent = waiting.entrySet().stream()
                .filter(e -> main >= 0 && e.getKey() > main && !e.getValue().spoke)
                .count();
        int awaited = multifd == null ? 0 : multifd.lacking();
        if (waiting.size() >= MOST + awaited || silent >= MOST_SILENT + awaited) {
            int victim = leastLikely(main);
            drop(
                    victim,
                    Objects.requireNonNull(waiting.get(victim)),
                    "too many connections are silent or wait to be judged");
        }
        waiting.put(connection, new Candidate(peer, now));
    }

    /** Whom it hurts least to lose: the oldest of those from before main, or if there is no main the oldest; then the oldest that has spoken; then the newest. */
    private int leastLikely(int main) {
        int spoke = -1;
        int newest = -1;
        for (Map.Entry<Integer, Candidate> entry : waiting.entrySet()) {
            newest = entry.getKey();
            if (main < 0 || newest < main) {
                return newest;
            }
            if (spoke < 0 && entry.getValue().spoke) {
                spoke = newest;
            }
        }
        return spoke < 0 ? newest : spoke;
    }

    void gone(int connection) {
        waiting.remove(connection);
    }

    /** @param main number of the main channel's connection, or -1 */
    Verdict judge(int connection, ByteBuffer in, DestinationMachine machine, int main, boolean preemptTaken) {
        Candidate candidate = waiting.get(connection);
        if (candidate == null) {
            return Verdict.DROPPED;
        }
        candidate.spoke = in.hasRemaining();
        Verdict verdict = switch (FirstBytes.classify(in, pages.blocks().size() == 0 ? null : pages.blocks())) {
            case NEED_MORE -> Verdict.WAIT;
            case MAIN_HEADER -> header(connection, candidate, machine);
            case RECOVERY_COMMAND -> recovery(connection, candidate, machine, main);
            case MAYBE_PAGE_RECORD -> pageRecord(connection, candidate, machine, preemptTaken);
            case PREEMPT_END ->
                drop(connection, candidate, options.postcopy() ? "" : "it carries nothing that belongs here");
            case MULTIFD_MAGIC -> multifd(connection, candidate, in, machine);
            case FOREIGN -> drop(connection, candidate, foreign(in));
        };
        if (verdict != Verdict.WAIT) {
            waiting.remove(connection);
        }
        return verdict;
    }

    private Verdict header(int connection, Candidate candidate, DestinationMachine machine) {
        return machine.state() instanceof DestinationState.Listening
                ? Verdict.MAIN
                : drop(connection, candidate, "it begins a migration, and the one here is in " + machine.status());
    }

    private Verdict recovery(int connection, Candidate candidate, DestinationMachine machine, int main) {
        if (machine.recoverable()) {
            // What was stuck on its way and is let go only now belongs to an attempt that its source has given up.
            return connection > main
                    ? Verdict.RECOVERY
                    : drop(connection, candidate, "it wants to recover, and is older than the recovery under way");
        }
        int neverRan = machine.neverRan();
        if (neverRan >= 0) {
            Outbox rest = new Outbox();
            rest.append(new ReturnPathEncoder(pages.blocks()).bytes(new ReturnPathMessage.Shut(neverRan)));
            host.notice("a source wants to recover a migration that never became this side's: it was told so");
            waiting.remove(connection);
            host.close(connection, rest);
            return Verdict.DROPPED;
        }
        return switch (machine.state()) {
            // Its old channel may be dead without our knowing: the fate of that one decides, and silence is judged
            // elsewhere.
            case DestinationState.PostcopyActive _,
                    DestinationState.Active _,
                    DestinationState.Loading _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _ -> hold(candidate);
            case DestinationState.Paused _ ->
                drop(
                        connection,
                        candidate,
                        "it wants to recover, and the storage here has failed: see to it, then migrate-recover");
            case DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Failed _,
                    DestinationState.Recover _,
                    DestinationState.Held _,
                    DestinationState.Completed _ ->
                drop(connection, candidate, "it wants to recover a migration that is not known here");
        };
    }

    private Verdict pageRecord(int connection, Candidate candidate, DestinationMachine machine, boolean preemptTaken) {
        if (!options.postcopy() || preemptTaken) {
            return drop(connection, candidate, "it sends pages, and no preempt channel is awaited");
        }
        return switch (machine.state()) {
            case DestinationState.PostcopyActive _ -> Verdict.PREEMPT;
            case DestinationState.Active _,
                    DestinationState.Loading _,
                    DestinationState.Recover _,
                    DestinationState.Held _ -> hold(candidate);
            case DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _,
                    DestinationState.Paused _,
                    DestinationState.Completed _,
                    DestinationState.Failed _ -> drop(connection, candidate, "it sends pages in " + machine.status());
        };
    }

    private Verdict multifd(int connection, Candidate candidate, ByteBuffer in, DestinationMachine machine) {
        MultifdIncoming channels = multifd;
        if (channels == null) {
            return drop(connection, candidate, "it is a multifd channel, and capability multifd is off");
        }
        boolean begun = machine.state() instanceof DestinationState.Active;
        if (!begun && !(machine.state() instanceof DestinationState.Listening)) {
            return drop(connection, candidate, "it is a multifd channel, and none is awaited in " + machine.status());
        }
        return switch (channels.judge(in, begun ? machine.nonce() : -1)) {
            case NEED_MORE -> Verdict.WAIT;
            case STRANGER -> drop(connection, candidate, channels.whyNot());
            case CLASH -> {
                drop(connection, candidate, "it is a multifd channel that is there already, or of another attempt");
                yield Verdict.CLASH;
            }
            case CHANNEL -> {
                if (begun) {
                    yield Verdict.MULTIFD;
                }
                // It was faster than main. Its end, too, has to wait until then.
                candidate.unread = true;
                yield hold(candidate);
            }
        };
    }

    /** A TLS record with a handshake (RFC 8446 §5.1), or anything else. */
    private static String foreign(ByteBuffer in) {
        int at = in.position();
        boolean tls = in.remaining() >= 2 && in.get(at) == 0x16 && in.get(at + 1) == 3;
        return "what it sends is no migration" + (tls ? ": it speaks TLS, and tls-creds is not set here" : "");
    }

    /** Whether nothing is to be read from the connection before it is offered again. */
    boolean unread(int connection) {
        Candidate candidate = waiting.get(connection);
        return candidate != null && candidate.unread;
    }

    private static Verdict hold(Candidate candidate) {
        candidate.held = true;
        return Verdict.WAIT;
    }

    private Verdict drop(int connection, Candidate candidate, String why) {
        waiting.remove(connection);
        if (!why.isEmpty()) {
            stats.strays++;
            host.notice("connection from " + candidate.peer + " dropped: " + why);
        }
        host.abort(connection, why.isEmpty() ? "it was not needed" : why);
        return Verdict.DROPPED;
    }

    /** False if there was nobody. */
    boolean dropAll(String why) {
        boolean any = !waiting.isEmpty();
        for (Map.Entry<Integer, Candidate> entry : List.copyOf(waiting.entrySet())) {
            drop(entry.getKey(), entry.getValue(), why);
        }
        return any;
    }

    /** The state changed: what was held may have its time now. */
    void reconsider() {
        waiting.forEach((connection, candidate) -> {
            if (candidate.held) {
                candidate.held = false;
                candidate.unread = false;
                host.again(connection);
            }
        });
    }

    /** Whether somebody is kept who may be a source that does not survive the end of its recovery's connection, however long it says nothing. */
    boolean kept(DestinationMachine machine) {
        return !waiting.isEmpty() && patient(machine);
    }

    private boolean patient(DestinationMachine machine) {
        return parameters.peerMayBe72()
                && (machine.state() instanceof DestinationState.Paused
                        || machine.state() instanceof DestinationState.Recover
                        || machine.state() instanceof DestinationState.Held);
    }

    /**
     * A source that wants to recover while its old channel seems to live here has given that one up: its operator was sooner than we. What becomes of it is decided when this end, too,
     * finds the channel dead.
     */
    private boolean patient(DestinationMachine machine, Candidate candidate) {
        return patient(machine)
                || (candidate.held
                        && parameters.peerMayBe72()
                        && (machine.state() instanceof DestinationState.PostcopyActive
                                || machine.state() instanceof DestinationState.Finishing
                                || machine.state() instanceof DestinationState.Mending));
    }

    void tick(DestinationMachine machine, boolean mainAlive, long now) {
        // By age: the order of a Map.copyOf changes from process to process, and then a seed replays nothing.
        for (Map.Entry<Integer, Candidate> entry : List.copyOf(waiting.entrySet())) {
            if (!patient(machine, entry.getValue()) && expiry(entry.getValue(), mainAlive) <= now) {
                drop(
                        entry.getKey(),
                        entry.getValue(),
                        entry.getValue().spoke
                                ? "its first message was not complete or not taken up in time"
                                : "it was silent");
            }
        }
    }

    long nextTick(DestinationMachine machine, boolean mainAlive) {
        long next = Long.MAX_VALUE;
        for (Candidate candidate : waiting.values()) {
            if (!patient(machine, candidate)) {
                next = Math.min(next, expiry(candidate, mainAlive));
            }
        }
        return next;
    }

    private long expiry(Candidate candidate, boolean mainAlive) {
        boolean maybePreempt = options.postcopy() && mainAlive && !candidate.spoke;
        long limit = candidate.held
                ? Math.max(parameters.handshakeTimeoutMillis(), parameters.livenessTimeoutMillis())
                : parameters.handshakeTimeoutMillis();
        return maybePreempt || limit == 0 ? Long.MAX_VALUE : candidate.since + limit * 1_000_000;
    }
}
