// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.DestinationState.Active;
import io.godwit.protocol.DestinationState.Completed;
import io.godwit.protocol.DestinationState.Failed;
import io.godwit.protocol.DestinationState.Finishing;
import io.godwit.protocol.DestinationState.Held;
import io.godwit.protocol.DestinationState.Idle;
import io.godwit.protocol.DestinationState.Listening;
import io.godwit.protocol.DestinationState.Loading;
import io.godwit.protocol.DestinationState.Mending;
import io.godwit.protocol.DestinationState.Need;
import io.godwit.protocol.DestinationState.Paused;
import io.godwit.protocol.DestinationState.PostcopyActive;
import io.godwit.protocol.DestinationState.Recover;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The destination of a migration as a machine without I/O; the counterpart of {@link SourceMachine}.
 *
 * <p>Its promises: the guest is this side's only once PACKAGED (postcopy) or everything (precopy) is whole and taken over; from then on every failure, of a channel, of
 * a handshake, of the guest's storage or of what a peer says, leads to paused with nothing lost, and a recovery may be tried without limit. SHUT 0 is said only after the guest
 * is here with all its pages and has made sure of them. A source that missed it is told so again; one whose PACKAGED never came whole is told that, too.
 *
 * <p>Not safe for several threads: used by the migration's owner only. Times are nanoseconds of a monotonic clock that never shows less than 0.
 */
public final class DestinationMachine {
    private final DestinationAttempt attempt;
    private final DestinationWorks works;
    private final DestinationHandshake handshake;

    /** @param options number of blocks and nonce in it are not used: they are learnt from the source */
    public DestinationMachine(MigrationOptions options, Parameters parameters) {
        attempt = new DestinationAttempt(options, parameters);
        works = new DestinationWorks(attempt);
        handshake = new DestinationHandshake(attempt);
    }

    /**
     * A machine whose migration an earlier process began, past its commit point: paused.
     *
     * @param blocks number of RAM blocks that the source has
     * @param whole no page lacks; only the guest's own end of it is still to come
     */
    public static DestinationMachine interrupted(
            MigrationOptions options, Parameters parameters, int blocks, boolean whole) {
        DestinationMachine machine = new DestinationMachine(options, parameters);
        machine.attempt.state = new Paused(whole ? Need.FINISHING : Need.NOTHING);
        machine.attempt.blocks = blocks;
        machine.attempt.ran = true;
        machine.attempt.confirmed = true;
        return machine;
    }

    public MigrationOptions options() {
        return attempt.options;
    }

    public DestinationState state() {
        return attempt.state;
    }

    public MigrationStatus status() {
        return attempt.state.status();
    }

    public @Nullable String error() {
        return attempt.error;
    }

    /** Whether the guest is, or has been, this side's. */
    public boolean ran() {
        return attempt.ran;
    }

    /**
     * Once the guest is this side's: whether its source can never run it again by itself. QEMU does if it missed the last word of a precopy, or from 10 on of a postcopy, Godwit
     * does not; which of them it is shows in its PINGs.
     */
    public boolean confirmed() {
        return attempt.confirmed;
    }

    /** The number by which the source names this migration, or -1 if it has not. */
    public int nonce() {
        return attempt.nonce;
    }

    /** Takes the place of a machine whose migration failed, and remembers which one that was: its source may ask. */
    public void succeed(DestinationMachine failed) {
        attempt.deadNonce = failed.attempt.deadNonce;
    }

    public void parameters(Parameters changed) {
        attempt.parameters = changed;
    }

    /** Whether the guest lives here on pages that are not all here, so that ending this process would lose it. */
    public boolean holdsGuestData() {
        return attempt.state.holdsGuestData();
    }

    /** What is to be done with a page that comes on the main or the preempt channel. */
    public PageRule pages() {
        return attempt.state.pages();
    }

    /** Whether what comes on the main channel has to wait. */
    public boolean working() {
        return attempt.state.working();
    }

    /** Whether PACKAGED may come now ({@code spec/sequences.md §3}); one that comes all the same is of no value, and nothing of it is to be kept. */
    public boolean awaitsPackaged() {
        return attempt.state instanceof Active active && active.advised() && active.memory() && active.returnPath();
    }

    /** Whether page requests may be sent. */
    public boolean requests() {
        return attempt.state instanceof PostcopyActive(boolean ended) && !ended;
    }

    /**
     * What a recovery connection is to be told by an endpoint that never had the guest: a SHUT status, or -1 if the question cannot be answered (yet):
     * the migration it is about is unknown here, or its fate is still open.
     */
    public int neverRan() {
        return !attempt.ran && attempt.deadNonce >= 0 ? Wire.neverRan(attempt.deadNonce) : -1;
    }

    /** Whether a recovery connection can be taken up now. */
    public boolean recoverable() {
        return handshake.possible();
    }

    /** Why the operator's input cannot be carried out now, as a sentence, or null if it can. */
    public @Nullable String refuse(DestinationInput input) {
        return DestinationRefusals.refuse(input, attempt.state, attempt.ran);
    }

    /** Whether a channel is kept though the migration is paused, because its source would not survive its end. */
    public boolean held() {
        return attempt.state instanceof Held;
    }

    /** Bytes came, or a queue that had been full moved: the path is alive. */
    public void progressed(long now) {
        attempt.unheard = false;
        attempt.watch.heard(now);
    }

    /**
     * When {@link DestinationInput.Tick} is wanted, or {@link Long#MAX_VALUE}.
     *
     * @param owedSince as in {@link DestinationInput.Tick}
     */
    public long nextTick(long owedSince) {
        return attempt.watch.nextTick(attempt.state, attempt.nonce >= 0, owedSince, attempt.parameters);
    }

    /** One step. */
    public void handle(DestinationInput input, long now, Consumer<DestinationEffect> out) {
        switch (input) {
            case DestinationInput.Incoming _ -> {
                attempt.error = null;
                attempt.become(new Listening(), "migrate-incoming", out);
            }
            case DestinationInput.AwaitRecovery(long missing) -> works.awaitRecovery(missing, now, out);
            case DestinationInput.Pause _ -> attempt.giveUp("paused by the operator (migrate-pause)", out);
            case DestinationInput.Revived _ -> attempt.revive(now, out);
            case DestinationInput.MainOpened _ -> mainOpened(now, out);
            case DestinationInput.RecoveryOpened _ -> handshake.opened(now, out);
            case DestinationInput.Received(StreamMessage message) -> received(message, now, out);
            case DestinationInput.BitmapAsked(int block) -> handshake.bitmapAsked(block, now, out);
            case DestinationInput.Packaged(List<Integer> pings) -> packaged(pings, now, out);
            case DestinationInput.Ended(long missing) -> ended(missing, now, out);
            case DestinationInput.NothingMissing _ -> {
                if (attempt.state instanceof PostcopyActive(boolean ended) && ended) {
                    works.finish(now, out);
                }
            }
            case DestinationInput.WorkDone _ -> works.done(now, out);
            case DestinationInput.WorkFailed(String reason, boolean again) -> works.failed(reason, again, out);
            case DestinationInput.StorageFailed(String reason) -> works.storageFailed(reason, out);
            case DestinationInput.Broken(Channel channel, String reason) -> broken(channel, reason, out);
            case DestinationInput.Tick(long owedSince) -> tick(owedSince, now, out);
        }
    }

    private void mainOpened(long now, Consumer<DestinationEffect> out) {
        if (!(attempt.state instanceof Listening)) {
            throw new IllegalStateException("main channel opened in " + attempt.state);
        }
        attempt.watch.opened(now);
        attempt.nonce = -1;
        attempt.blocks = 0;
        // A stranger with a header, or a source that dies at once, does not keep the listener for ever.
        attempt.watch.expect(Deadline.Kind.HANDSHAKE, now);
        out.accept(new DestinationEffect.ResetMemory());
        attempt.become(new Active(false, false, false), "a source sends", out);
    }

    private void received(StreamMessage message, long now, Consumer<DestinationEffect> out) {
        attempt.revive(now, out);
        if (message instanceof StreamMessage.Ping(int value)) {
            if (attempt.state.heard()) {
                ping(value, out);
            }
            return;
        }
        String unexpected = DestinationOrder.check(message, attempt.state, attempt.options, attempt.blocks);
        if (unexpected != null) {
            attempt.lost(unexpected, out);
            return;
        }
        switch (message) {
            case StreamMessage.OpenReturnPath _ -> {
                Active active = (Active) attempt.state;
                attempt.become(new Active(true, active.advised(), active.memory()), "", out);
                if (attempt.options.switchoverAck() && !active.returnPath()) {
                    out.accept(new DestinationEffect.Reply(new ReturnPathMessage.SwitchoverAck()));
                }
            }
            case StreamMessage.PostcopyAdvise _ -> {
                Active active = (Active) attempt.state;
                attempt.become(new Active(active.returnPath(), true, active.memory()), "", out);
            }
            case StreamMessage.MemSize list -> {
                Active active = (Active) attempt.state;
                attempt.blocks = list.blocks().size();
                attempt.watch.expectNothing();
                attempt.become(new Active(active.returnPath(), active.advised(), true), "", out);
            }
            case StreamMessage.PostcopyResume _ -> handshake.resume(out);
            default -> {
                // Section borders, headers, discards and device bytes: in order here, and carried out by the pump.
            }
        }
    }

    private void ping(int value, Consumer<DestinationEffect> out) {
        if (attempt.state instanceof Active active && !active.returnPath()) {
            attempt.lost("PING before OPEN_RETURN_PATH", out);
            return;
        }
        if (Wire.isKeepAlive(value)) {
            int named = value & 0xffff;
            if (attempt.ran && attempt.nonce >= 0 && named != attempt.nonce) {
                handshake.foreign(out);
                return;
            }
            attempt.nonce = named;
        }
        out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Pong(value)));
    }

    private void packaged(List<Integer> pings, long now, Consumer<DestinationEffect> out) {
        if (!awaitsPackaged()) {
            attempt.lost(
                    "PACKAGED in " + attempt.status()
                            + ", without the return path, POSTCOPY_ADVISE and the block list before it",
                    out);
            return;
        }
        attempt.packagedPings = pings;
        attempt.confirmed = true;
        works.load(new Loading(true, true, true), now, out);
    }

    private void ended(long missing, long now, Consumer<DestinationEffect> out) {
        switch (attempt.state) {
            case Active active -> {
                if (missing > 0) {
                    attempt.fail("the source ended the migration, but " + missing + " pages never came", out);
                } else {
                    attempt.confirmed = attempt.nonce >= 0;
                    works.load(new Loading(false, active.returnPath(), true), now, out);
                }
            }
            case PostcopyActive(boolean ended) -> {
                if (ended) {
                    attempt.lost("EOF twice", out);
                } else if (missing == 0) {
                    works.finish(now, out);
                } else {
                    // A source may use a preempt channel whatever the capability says here.
                    attempt.watch.expect(Deadline.Kind.LIVENESS, now);
                    attempt.become(
                            new PostcopyActive(true),
                            "EOF came, " + missing + " pages are still in the preempt channel",
                            out);
                }
            }
            case Completed completed -> {
                if (completed.answering()) {
                    attempt.complete(true, out);
                }
            }
            case Idle _, Listening _, Loading _, Finishing _, Mending _, Paused _, Recover _, Held _, Failed _ ->
                attempt.lost("EOF in " + attempt.status(), out);
        }
    }

    private void broken(Channel channel, String reason, Consumer<DestinationEffect> out) {
        switch (channel) {
            case MAIN -> {
                if (attempt.state instanceof Listening) {
                    // What it was to come from is no socket, so nothing else will come.
                    attempt.fail(channel.title() + reason, out);
                } else {
                    attempt.lost(channel.title() + reason, out);
                }
            }
            case PREEMPT -> attempt.giveUp(channel.title() + reason, out);
            case MULTIFD -> {
                // Past precopy nothing comes on those any more.
                if (attempt.state instanceof Active) {
                    attempt.lost(channel.title() + reason, out);
                }
            }
        }
    }

    private void tick(long owedSince, long now, Consumer<DestinationEffect> out) {
        String verdict = attempt.watch.verdict(attempt.state, attempt.nonce >= 0, owedSince, now, attempt.parameters);
        if (verdict != null) {
            attempt.giveUp(verdict, out);
        } else if (attempt.watch.signDue(attempt.state, attempt.nonce >= 0, now, attempt.parameters)) {
            attempt.watch.signed(now);
            out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Pong(Wire.keepAlive(attempt.nonce))));
        }
    }

    public DestinationMachine copy() {
        DestinationMachine copy = new DestinationMachine(attempt.options, attempt.parameters);
        copy.attempt.become(attempt);
        return copy;
    }

    /** Everything that decides its future, with times relative to {@code now}. */
    public String fingerprint(long now) {
        return attempt.fingerprint(now);
    }
}
