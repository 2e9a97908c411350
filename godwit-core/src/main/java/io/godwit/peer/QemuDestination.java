// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU that is to get a guest: started with {@code -incoming defer}. Commands return when they are accepted; what comes of them is in {@link QemuPeer#state},
 * {@link QemuPeer#await} and {@link #verdict}. Every method may be called from any thread.
 */
public final class QemuDestination {
    private static final String PAUSED = "postcopy-paused";
    private static final Duration SETTLES = Duration.ofSeconds(1);

    private final QemuPeer peer;
    private final boolean joinedLate;
    private volatile boolean asked;

    /** One that is to be told everything from here. */
    public QemuDestination(QemuPeer peer) {
        this(peer, false);
    }

    private QemuDestination(QemuPeer peer, boolean late) {
        this.peer = peer;
        this.joinedLate = late;
        this.asked = late;
    }

    /** One that another process has told where to listen: its guest may have run before anybody here looked. */
    public static QemuDestination joined(QemuPeer peer) {
        return new QemuDestination(peer, true);
    }

    public QemuPeer peer() {
        return peer;
    }

    /**
     * Checks that a guest fits, see {@link PeerIdentity#obstacles}.
     *
     * @throws PeerException with a sentence per obstacle
     */
    public void checkFits(PeerIdentity origin) throws PeerException {
        List<String> obstacles = peer.identity().obstacles(origin);
        if (!obstacles.isEmpty()) {
            throw PeerException.refused(peer.name() + " cannot take this guest: " + String.join("; ", obstacles));
        }
    }

    /**
     * Checks that it waits for a guest, and sets capabilities and parameters. Nothing moves by this.
     *
     * @throws PeerException with a sentence that says what is in the way
     */
    public void prepare(MigrationTerms terms) throws PeerException {
        PeerState state = peer.state();
        if (state.is("failed")) {
            throw PeerException.refused(peer.name()
                    + " has failed to load a guest and cannot try again: start it anew with -incoming defer");
        }
        if (!state.waitsForGuest()) {
            throw PeerException.refused(peer.name() + " does not wait for a guest (" + state.runState()
                    + "): start it with -incoming defer");
        }
        if (!state.is(PeerState.NONE) || state.listening() != null) {
            throw PeerException.refused(peer.name()
                    + (state.listening() == null
                            ? " was told to listen once and could not, and does not try again: start it anew with -incoming defer"
                            : " waits for its guest at " + state.listening()
                                    + " already: start it with -incoming defer, so that it can be told before"));
        }
        peer.prepare(terms);
    }

    /**
     * Has it listen for a guest.
     *
     * <p>From 9.1 on a failed load leaves the process alive, so that it can still be asked; it cannot be used again even so.
     *
     * @param listen a TCP port may be 0
     * @return where it listens: the real port. A host that means "all interfaces" stays what it is
     */
    public MigrationAddress listen(MigrationAddress listen) throws PeerException {
        JsonObject.Builder arguments = JsonObject.builder().put("uri", listen.toString());
        if (peer.identity().version().atLeast(9, 1)) {
            arguments.put("exit-on-error", false);
        }
        asked = true;
        peer.command("migrate-incoming", arguments.build());
        return listening(listen);
    }

    /**
     * Has it listen for a recovery; again, if the last one did not come to anything: the old address is then given up. One that has just paused may still hold the port that it is to
     * listen on (seen on 11.1), so a refusal counts only if it lasts ({@link #SETTLES}).
     *
     * @return as for {@link #listen}
     */
    public MigrationAddress recover(MigrationAddress listen) throws PeerException {
        PeerState state = peer.state();
        if (!state.is(PAUSED)) {
            throw PeerException.refused(peer.name()
                    + " is not paused in postcopy, so there is nothing to recover: it is " + state.status());
        }
        JsonObject arguments =
                JsonObject.builder().put("uri", listen.toString()).build();
        long until = System.nanoTime() + SETTLES.toNanos();
        while (true) {
            CompletableFuture<@Nullable Void> news = peer.log().news();
            try {
                peer.commandOutOfBand("migrate-recover", arguments);
                return listening(listen);
            } catch (PeerException e) {
                boolean over = System.nanoTime() - until >= 0;
                if (over
                        || e.kind() != PeerException.Kind.REFUSED
                        || !peer.state().is(PAUSED)) {
                    throw e;
                }
            }
            peer.pause(news, until);
        }
    }

    private MigrationAddress listening(MigrationAddress wanted) throws PeerException {
        Address real = peer.state().listening();
        if (real != null) {
            return real;
        }
        if (wanted instanceof Address.Tcp tcp && tcp.port() == 0) {
            throw new PeerException(
                    PeerException.Kind.NOT_UNDERSTOOD, peer.name() + " does not say which port it listens on", null);
        }
        return wanted;
    }

    /** Breaks its channels so that both sides go to postcopy-paused. 7.2 can do this in postcopy-active only ({@code spec/sequences.md §6.5}). */
    public void pause() throws PeerException {
        peer.commandOutOfBand("migrate-pause", Json.object());
    }

    /** Starts the guest, or, while it is not there yet, has it started when it is. */
    public void cont() throws PeerException {
        peer.command("cont", Json.object());
    }

    /** What became of the guest; waits for an answer that lasts, at most so long. Connects again if need be. */
    public DestinationVerdict verdict(Duration deadline) throws PeerException {
        return new Inquiry<>(peer, new Judge()).verdict(deadline);
    }

    private final class Judge implements Inquiry.Judge<DestinationVerdict> {
        @Override
        public @Nullable DestinationVerdict judge(PeerState state, long steady) {
            if (state.waitsForGuest()) {
                return waiting(state);
            }
            return switch (state.status()) {
                case "completed" -> arrived(state);
                case PAUSED ->
                    say(
                            DestinationVerdict.Fate.AWAITS_RECOVERY,
                            state,
                            "it is paused in postcopy: the guest is " + state.runState()
                                    + ", some of its memory is missing");
                case PeerState.NONE -> asked ? replaced("it knows nothing of this migration") : null;
                case "failed" -> gaveUp(state);
                // It shows its part as source as soon as it has one: setup, active ... of a migration onward.
                case "setup", "cancelling", "cancelled", "pre-switchover", "device" -> movesOn(state);
                default -> null;
            };
        }

        private @Nullable DestinationVerdict waiting(PeerState state) {
            if (state.is("failed")) {
                String why = state.error() == null ? "" : " (it says: " + state.error() + ")";
                return say(DestinationVerdict.Fate.FAILED, state, "it could not load the guest" + why);
            }
            return state.is(PeerState.NONE) && state.listening() == null && asked
                    ? replaced("it knows nothing of this migration")
                    : null;
        }

        private DestinationVerdict arrived(PeerState state) {
            if (state.running()) {
                return say(DestinationVerdict.Fate.RUNS_HERE, state, "the guest is here and runs");
            }
            return state.runState().equals("postmigrate")
                    ? movesOn(state)
                    : say(DestinationVerdict.Fate.STOPPED_HERE, state, "the guest is here and is " + state.runState());
        }

        /**
         * As destination it has an address until the guest has arrived as a whole; one without tells of a migration onward that failed, and will tell more when it has the guest
         * again.
         */
        private @Nullable DestinationVerdict gaveUp(PeerState state) {
            return state.listening() == null
                    ? null
                    : say(
                            DestinationVerdict.Fate.GAVE_UP,
                            state,
                            "it has given its migration up after the guest was started, and what is missing of its memory never comes");
        }

        private DestinationVerdict movesOn(PeerState state) {
            return say(DestinationVerdict.Fate.MOVED_ON, state, "the guest was here and moves on (" + state + ")");
        }

        @Override
        public DestinationVerdict undecided(PeerState state) {
            if (state.waitsForGuest() && state.is(PeerState.NONE, "setup")) {
                return say(DestinationVerdict.Fate.WAITS, state, "it waits, nothing has arrived");
            }
            return say(DestinationVerdict.Fate.UNDECIDED, state, "it is still under way: " + state);
        }

        @Override
        public DestinationVerdict gone(@Nullable PeerState last, String how) {
            boolean mayHaveRun = mayHaveRun();
            return new DestinationVerdict(
                    DestinationVerdict.Fate.GONE,
                    last,
                    mayHaveRun,
                    how + (mayHaveRun ? "; its guest may have run before" : " before its guest ran"));
        }

        @Override
        public DestinationVerdict replaced(String sentence) {
            return new DestinationVerdict(
                    DestinationVerdict.Fate.REPLACED, null, mayHaveRun(), peer.name() + ": " + sentence);
        }

        @Override
        public DestinationVerdict unreachable(@Nullable PeerState last, String sentence) {
            return new DestinationVerdict(DestinationVerdict.Fate.UNREACHABLE, last, true, sentence);
        }

        private DestinationVerdict say(DestinationVerdict.Fate fate, PeerState state, String what) {
            boolean mayHaveRun = !state.waitsForGuest() || mayHaveRun();
            return new DestinationVerdict(fate, state, mayHaveRun, peer.name() + ": " + what);
        }
    }

    /** An event that was missed in a gap may have been its start. */
    private boolean mayHaveRun() {
        PeerHistory history = peer.history();
        return joinedLate || history.ran() || history.gaps();
    }
}
