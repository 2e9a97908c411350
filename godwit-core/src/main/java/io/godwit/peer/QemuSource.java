// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.MigrationAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU whose guest is to leave. Commands return when they are accepted; what comes of them is in {@link QemuPeer#state}, {@link QemuPeer#await} and {@link #verdict}.
 * Every method may be called from any thread.
 */
public final class QemuSource {
    /**
     * How long a failed migration's guest must stay stopped before that is believed: up to 10.0 the status is {@code failed} before the guest is started again
     * ({@code spec/sequences.md §5}). The gap is a few ms long.
     */
    static final Duration SETTLED = Duration.ofSeconds(1);

    /**
     * How long a failed migration may need to end within a QEMU, after its status says so. Measured: a few ms; with multifd up to 10.0 sometimes for ever
     * (docs/compatibility.md).
     */
    static final Duration CLEANED_UP = Duration.ofSeconds(10);

    /** Where a Godwit stands that lost its channel when it had given its guest away and had not heard that it arrived; QEMU knows no such state. */
    private static final String UNCERTAIN = "uncertain";

    private final QemuPeer peer;
    private volatile boolean asked;

    public QemuSource(QemuPeer peer) {
        this.peer = peer;
    }

    public QemuPeer peer() {
        return peer;
    }

    /**
     * Checks that its guest can leave, and sets capabilities and parameters. Nothing moves by this.
     *
     * @throws PeerException with a sentence that says what is in the way
     */
    public void prepare(MigrationTerms terms) throws PeerException {
        PeerState state = peer.state();
        if (state.waitsForGuest()) {
            throw PeerException.refused(peer.name() + " has no guest: it waits for one itself");
        }
        if (state.is("completed") && state.runState().equals("postmigrate")) {
            throw PeerException.refused(peer.name() + " has no guest any more: it has left already");
        }
        if (!state.is(PeerState.NONE, "completed", "failed", "cancelled")) {
            throw PeerException.refused(peer.name() + " has a migration under way (" + state.status() + ")");
        }
        if (!state.blockers().isEmpty()) {
            throw PeerException.refused(
                    peer.name() + " cannot migrate its guest: " + String.join("; ", state.blockers()));
        }
        if (!state.is(PeerState.NONE)) {
            awaitCleanedUp();
        }
        peer.prepare(terms);
    }

    /**
     * A failed migration's threads may still run when the status says {@code failed}, and a 7.2 that is told to migrate then crashes (seen; 10.0 refuses and is stuck).
     * {@code query-yank} names the migration until they have ended.
     */
    private void awaitCleanedUp() throws PeerException {
        long until = System.nanoTime() + CLEANED_UP.toNanos();
        while (peer.yankable("migration")) {
            if (System.nanoTime() - until >= 0) {
                throw PeerException.refused(peer.name()
                        + " is not done with the migration it had before (query-yank still names it after "
                        + CLEANED_UP.toSeconds() + " s), and another one could crash it. Try again later; if it stays"
                        + " so, that QEMU is stuck, as those up to 10.0 can be after a multifd migration that broke:"
                        + " its guest runs, but no migration can take it away");
            }
            peer.pause(peer.log().news(), until);
        }
    }

    /** Starts a migration. That it is accepted does not mean that there is a connection. */
    public void migrate(MigrationAddress destination) throws PeerException {
        // Before the command: an answer that is lost leaves open whether it was carried out.
        asked = true;
        peer.command("migrate", uri(destination).build());
    }

    /** The switch to postcopy, as soon as it can: from there on the guest is at the destination. */
    public void startPostcopy() throws PeerException {
        peer.command("migrate-start-postcopy", Json.object());
    }

    /** Recovers a paused postcopy over a new connection, also one of a Godwit that does not know whether its guest has arrived. The destination must listen. */
    public void resume(MigrationAddress destination) throws PeerException {
        PeerState state = peer.state();
        if (!state.is("postcopy-paused", UNCERTAIN)) {
            throw PeerException.refused(peer.name()
                    + " is not paused in postcopy, so there is nothing to recover: it is " + state.status());
        }
        peer.command("migrate", uri(destination).put("resume", true).build());
    }

    /** Breaks its channels so that both sides go to postcopy-paused. 7.2 can do this in postcopy-active only ({@code spec/sequences.md §6.5}). */
    public void pause() throws PeerException {
        peer.commandOutOfBand("migrate-pause", Json.object());
    }

    /**
     * Ends a migration that is not in postcopy; the guest goes on here.
     *
     * @throws PeerException in postcopy: a 7.2 would obey and lose the pages that are not sent yet ({@code spec/sequences.md §6.6})
     */
    public void cancel() throws PeerException {
        PeerState state = peer.state();
        if (state.inPostcopy()) {
            throw PeerException.refused(peer.name()
                    + " is in postcopy: its guest is at the destination already, so this cannot be cancelled");
        }
        peer.command("migrate_cancel", Json.object());
    }

    /**
     * Lets the guest go on here.
     *
     * @throws PeerException if it has left: two would run
     */
    public void cont() throws PeerException {
        PeerState state = peer.state();
        if (state.inPostcopy() || state.is("completed", "device", "colo")) {
            throw PeerException.refused(peer.name() + " has given its guest away (" + state.status()
                    + "): continued here, it would run twice");
        }
        peer.command("cont", Json.object());
    }

    /** What became of the guest; waits for an answer that lasts, at most so long. Connects again if need be. */
    public SourceVerdict verdict(Duration deadline) throws PeerException {
        return new Inquiry<>(peer, new Judge()).verdict(deadline);
    }

    private static JsonObject.Builder uri(MigrationAddress destination) {
        return JsonObject.builder().put("uri", destination.toString());
    }

    private final class Judge implements Inquiry.Judge<SourceVerdict> {
        @Override
        public @Nullable SourceVerdict judge(PeerState state, long steady) {
            return switch (state.status()) {
                case "completed" -> say(SourceVerdict.Fate.LEFT, state, "its guest has left");
                case "postcopy-paused" ->
                    say(SourceVerdict.Fate.AWAITS_RECOVERY, state, "it is paused in postcopy and waits for a recovery");
                case UNCERTAIN ->
                    say(
                            SourceVerdict.Fate.AWAITS_RECOVERY,
                            state,
                            "it does not know whether its guest has arrived, and waits for a recovery");
                case PeerState.NONE -> asked ? replaced("it knows nothing of this migration") : here(state, steady);
                case "failed", "cancelled" -> here(state, steady);
                default -> null;
            };
        }

        private @Nullable SourceVerdict here(PeerState state, long steady) {
            String why = state.error() == null ? "" : " (it says: " + state.error() + ")";
            String end = "the migration is " + state.status() + why;
            if (state.running()) {
                return say(SourceVerdict.Fate.RUNS_HERE, state, end + " and the guest runs here");
            }
            return steady < TimeUnit.NANOSECONDS.convert(SETTLED)
                    ? null
                    : say(SourceVerdict.Fate.STOPPED_HERE, state, end + " and the guest stands still here");
        }

        @Override
        public SourceVerdict undecided(PeerState state) {
            boolean shutMayBeLost =
                    state.is("postcopy-active") && peer.identity().version().mayBe72();
            return say(
                    SourceVerdict.Fate.UNDECIDED,
                    state,
                    "it is still under way: " + state
                            + (shutMayBeLost
                                    ? "; a QEMU of this age stays so for ever if the destination's last word was lost"
                                    : ""));
        }

        @Override
        public SourceVerdict gone(@Nullable PeerState last, String how) {
            return new SourceVerdict(SourceVerdict.Fate.GONE, last, how);
        }

        @Override
        public SourceVerdict replaced(String sentence) {
            return new SourceVerdict(SourceVerdict.Fate.REPLACED, null, peer.name() + ": " + sentence);
        }

        @Override
        public SourceVerdict unreachable(@Nullable PeerState last, String sentence) {
            return new SourceVerdict(SourceVerdict.Fate.UNREACHABLE, last, sentence);
        }

        private SourceVerdict say(SourceVerdict.Fate fate, PeerState state, String what) {
            return new SourceVerdict(fate, state, peer.name() + ": " + what);
        }
    }
}
