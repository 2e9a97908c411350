// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.DestinationState.Active;
import io.godwit.protocol.DestinationState.Completed;
import io.godwit.protocol.DestinationState.Failed;
import io.godwit.protocol.DestinationState.Idle;
import io.godwit.protocol.DestinationState.Listening;
import io.godwit.protocol.DestinationState.Paused;
import io.godwit.protocol.DestinationState.PostcopyActive;
import io.godwit.protocol.DestinationState.Recover;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The destination of a migration as a machine without I/O; the counterpart of {@link SourceMachine}.
 *
 * <p>Its promises: the guest starts here only once PACKAGED (postcopy) or everything (precopy) is whole; from then on every failure, of a channel, of
 * a handshake or of what a peer says, leads to paused with nothing lost, and a recovery may be tried without limit. SHUT 0 is said only after the guest
 * is here with all its pages. A source that missed it is told so again; one whose PACKAGED never came whole is told that, too.
 *
 * <p>Not safe for several threads: used by the migration's owner only. Times are nanoseconds of a monotonic clock that never shows less than 0.
 */
public final class DestinationMachine {
    private final MigrationOptions options;
    private Parameters parameters;
    private DestinationState state = new Idle();
    private final Deadline deadline = new Deadline();
    private long heardAt = -1;
    private int nonce = -1;
    private int deadNonce = -1;
    private boolean ran;
    private @Nullable List<Integer> packagedPings;
    private @Nullable String error;

    /** @param options the nonce in it is not used: the source's is learnt */
    public DestinationMachine(MigrationOptions options, Parameters parameters) {
        this.options = options;
        this.parameters = parameters;
    }

    public DestinationState state() {
        return state;
    }

    public MigrationStatus status() {
        return state.status();
    }

    public @Nullable String error() {
        return error;
    }

    /** Whether the guest is, or has been, this side's. */
    public boolean ran() {
        return ran;
    }

    /** Takes the place of a machine whose migration failed, and remembers which one that was: its source may ask. */
    public void succeed(DestinationMachine failed) {
        deadNonce = failed.deadNonce;
    }

    public void parameters(Parameters changed) {
        parameters = changed;
    }

    /** Whether the guest runs here on pages that are not all here, so that ending this process would lose it. */
    public boolean holdsGuestData() {
        return state.holdsGuestData();
    }

    /** What is to be done with a page that comes on the main or the preempt channel. */
    public PageRule pages() {
        return state.pages();
    }

    /** Whether page requests may be sent. */
    public boolean requests() {
        return state instanceof PostcopyActive(boolean ended) && !ended;
    }

    /**
     * What a recovery connection is to be told by an endpoint that never had the guest: a SHUT status, or -1 if the question cannot be answered (yet):
     * the migration it is about is unknown here, or its fate is still open.
     */
    public int neverRan() {
        return !ran && deadNonce >= 0 ? Wire.neverRan(deadNonce) : -1;
    }

    /** Whether a recovery connection can be taken up now. */
    public boolean recoverable() {
        return state instanceof Paused || state instanceof Recover || state instanceof Completed;
    }

    /** Why the operator's input cannot be carried out now, as a sentence, or null if it can. */
    public @Nullable String refuse(DestinationInput input) {
        return DestinationRefusals.refuse(input, state, ran);
    }

    /** Bytes came, or a queue that had been full moved: the path is alive. */
    public void progressed(long now) {
        heardAt = now;
        deadline.progressed(now);
    }

    /**
     * When {@link DestinationInput.Tick} is wanted, or {@link Long#MAX_VALUE}.
     *
     * @param owedSince as in {@link DestinationInput.Tick}
     */
    public long nextTick(long owedSince) {
        return Math.min(deadline.at(parameters), silentAt(owedSince));
    }

    /** One step. */
    public void handle(DestinationInput input, long now, Consumer<DestinationEffect> out) {
        switch (input) {
            case DestinationInput.Incoming _ -> {
                error = null;
                become(new Listening(), "migrate-incoming", out);
            }
            case DestinationInput.Pause _ -> lost("paused by the operator (migrate-pause)", out);
            case DestinationInput.MainOpened _ -> mainOpened(now, out);
            case DestinationInput.RecoveryOpened _ -> recoveryOpened(now, out);
            case DestinationInput.Received(StreamMessage message) -> received(message, out);
            case DestinationInput.BitmapAsked(int block) -> bitmapAsked(block, out);
            case DestinationInput.Packaged(List<Integer> pings) -> packaged(pings, out);
            case DestinationInput.Ended(long missing) -> ended(missing, now, out);
            case DestinationInput.NothingMissing _ -> {
                if (state instanceof PostcopyActive(boolean ended) && ended) {
                    complete(out);
                }
            }
            case DestinationInput.Loaded _ -> loaded(out);
            case DestinationInput.LoadFailed(String reason) ->
                fail("the device state cannot be loaded: " + reason, out);
            case DestinationInput.Broken(Channel channel, String reason) -> broken(channel, reason, out);
            case DestinationInput.Tick(long owedSince) -> tick(owedSince, now, out);
        }
    }

    private void mainOpened(long now, Consumer<DestinationEffect> out) {
        if (!(state instanceof Listening)) {
            throw new IllegalStateException("main channel opened in " + state);
        }
        heardAt = now;
        nonce = -1;
        // A stranger with a header, or a source that dies at once, does not keep the listener for ever.
        deadline.expect(Deadline.Kind.HANDSHAKE, now);
        out.accept(new DestinationEffect.ResetMemory());
        become(new Active(false, false, false), "a source sends", out);
    }

    private void recoveryOpened(long now, Consumer<DestinationEffect> out) {
        heardAt = now;
        switch (state) {
            case Paused _ -> {
                deadline.expect(Deadline.Kind.HANDSHAKE, now);
                become(new Recover(new BitSet()), "a source has come back", out);
            }
            case Recover _ -> {
                out.accept(new DestinationEffect.DropChannels("superseded by a newer recovery connection"));
                out.accept(new DestinationEffect.Notice("an unfinished recovery was superseded by a newer connection"));
                deadline.expect(Deadline.Kind.HANDSHAKE, now);
                become(new Recover(new BitSet()), "a source has come back once more", out);
            }
            case Completed completed -> {
                if (completed.answering()) {
                    out.accept(new DestinationEffect.DropChannels("superseded by a newer recovery connection"));
                }
                deadline.expect(Deadline.Kind.HANDSHAKE, now);
                out.accept(new DestinationEffect.Notice(
                        "a source that missed the end has come back: it is told that nothing is missing"));
                become(new Completed(true, new BitSet()), "", out);
            }
            case Idle _, Listening _, Active _, PostcopyActive _, Failed _ ->
                throw new IllegalStateException("recovery opened in " + state);
        }
    }

    private void received(StreamMessage message, Consumer<DestinationEffect> out) {
        if (message instanceof StreamMessage.Ping(int value)) {
            if (state.heard()) {
                ping(value, out);
            }
            return;
        }
        String unexpected = DestinationOrder.check(message, state, options);
        if (unexpected != null) {
            lost(unexpected, out);
            return;
        }
        switch (message) {
            case StreamMessage.OpenReturnPath _ -> {
                Active active = (Active) state;
                become(new Active(true, active.advised(), active.memory()), "", out);
                if (options.switchoverAck() && !active.returnPath()) {
                    out.accept(new DestinationEffect.Reply(new ReturnPathMessage.SwitchoverAck()));
                }
            }
            case StreamMessage.PostcopyAdvise _ -> {
                Active active = (Active) state;
                become(new Active(active.returnPath(), true, active.memory()), "", out);
            }
            case StreamMessage.MemSize _ -> {
                Active active = (Active) state;
                deadline.none();
                become(new Active(active.returnPath(), active.advised(), true), "", out);
            }
            case StreamMessage.PostcopyResume _ -> resumed(out);
            default -> {
                // Section borders, headers, discards and device bytes: in order here, and carried out by the pump.
            }
        }
    }

    private void ping(int value, Consumer<DestinationEffect> out) {
        if (state instanceof Active active && !active.returnPath()) {
            lost("PING before OPEN_RETURN_PATH", out);
            return;
        }
        if (Wire.isKeepAlive(value)) {
            int named = value & 0xffff;
            if (ran && nonce >= 0 && named != nonce) {
                foreign(out);
                return;
            }
            nonce = named;
        }
        out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Pong(value)));
    }

    /** A source with the wrong address. Its pages would be taken for this guest's, and "nothing is missing" for an answer about its own. */
    private void foreign(Consumer<DestinationEffect> out) {
        String reason = "the source that has come back belongs to another migration: it has the wrong address";
        out.accept(new DestinationEffect.Notice(reason));
        lost(reason, out);
    }

    private void packaged(List<Integer> pings, Consumer<DestinationEffect> out) {
        if (!(state instanceof Active active) || !active.advised() || !active.memory() || !active.returnPath()) {
            lost(
                    "PACKAGED in " + status()
                            + ", without the return path, POSTCOPY_ADVISE and the block list before it",
                    out);
            return;
        }
        packagedPings = pings;
        out.accept(new DestinationEffect.LoadDevices());
    }

    private void loaded(Consumer<DestinationEffect> out) {
        ran = true;
        List<Integer> pings = packagedPings;
        if (pings == null) {
            out.accept(new DestinationEffect.StartGuest());
            complete(out);
        } else {
            out.accept(new DestinationEffect.BeginPostcopy());
            become(new PostcopyActive(false), "the guest is here, its memory follows", out);
            for (int value : pings) {
                out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Pong(value)));
            }
            out.accept(new DestinationEffect.StartGuest());
        }
    }

    private void ended(long missing, long now, Consumer<DestinationEffect> out) {
        switch (state) {
            case Active _ -> {
                if (missing > 0) {
                    fail("the source ended the migration, but " + missing + " pages never came", out);
                } else {
                    packagedPings = null;
                    out.accept(new DestinationEffect.LoadDevices());
                }
            }
            case PostcopyActive(boolean ended) -> {
                if (ended) {
                    lost("EOF twice", out);
                } else if (missing == 0) {
                    complete(out);
                } else {
                    // A source may use a preempt channel whatever the capability says here.
                    deadline.expect(Deadline.Kind.LIVENESS, now);
                    become(
                            new PostcopyActive(true),
                            "EOF came, " + missing + " pages are still in the preempt channel",
                            out);
                }
            }
            case Completed completed -> {
                if (completed.answering()) {
                    complete(out);
                }
            }
            case Idle _, Listening _, Paused _, Recover _, Failed _ -> lost("EOF in " + status(), out);
        }
    }

    private void complete(Consumer<DestinationEffect> out) {
        deadline.none();
        out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Shut(Wire.SHUT_OK)));
        out.accept(new DestinationEffect.CloseChannels());
        become(new Completed(false, new BitSet()), "everything is here", out);
    }

    private void bitmapAsked(int block, Consumer<DestinationEffect> out) {
        BitSet asked = state.askedNow();
        if (asked == null || asked.get(block)) {
            lost(
                    "RECV_BITMAP for block " + block
                            + (asked == null ? " in " + status() : ", which was asked for before"),
                    out);
            return;
        }
        BitSet more = (BitSet) asked.clone();
        more.set(block);
        state = state instanceof Recover ? new Recover(more) : new Completed(true, more);
        out.accept(new DestinationEffect.SendBitmap(block));
    }

    private void resumed(Consumer<DestinationEffect> out) {
        out.accept(new DestinationEffect.Reply(new ReturnPathMessage.ResumeAck(1)));
        if (state instanceof Recover) {
            deadline.none();
            become(new PostcopyActive(false), "recovered", out);
            out.accept(new DestinationEffect.ReissueRequests());
        }
    }

    private void broken(Channel channel, String reason, Consumer<DestinationEffect> out) {
        lost((channel == Channel.MAIN ? "main channel: " : "preempt channel: ") + reason, out);
    }

    private void tick(long owedSince, long now, Consumer<DestinationEffect> out) {
        if (now >= deadline.at(parameters)) {
            lost("nothing came for too long in " + status(), out);
        } else if (now >= silentAt(owedSince)) {
            lost(
                    now >= silentAt(-1)
                            ? "the source has sent nothing for " + parameters.livenessTimeoutMillis()
                                    + " ms: the path is silent"
                            : "the source has left every page request unanswered for "
                                    + parameters.livenessTimeoutMillis() + " ms",
                    out);
        }
    }

    /** A source that PINGs is never silent, and one that owes a page sends it. */
    private long silentAt(long owedSince) {
        long since = state.watched(nonce >= 0, owedSince >= 0)
                ? Math.min(nonce >= 0 ? heardAt : Long.MAX_VALUE, owedSince >= 0 ? owedSince : Long.MAX_VALUE)
                : Long.MAX_VALUE;
        return since == Long.MAX_VALUE || parameters.livenessTimeoutMillis() == 0
                ? Long.MAX_VALUE
                : since + Liveness.millis(parameters.livenessTimeoutMillis());
    }

    private void lost(String reason, Consumer<DestinationEffect> out) {
        switch (state) {
            case Active _ -> fail(reason, out);
            case PostcopyActive _, Recover _ -> {
                error = reason;
                deadline.none();
                out.accept(new DestinationEffect.DropChannels(reason));
                become(new Paused(), reason, out);
            }
            case Completed completed -> {
                if (completed.answering()) {
                    deadline.none();
                    out.accept(new DestinationEffect.DropChannels(reason));
                    state = new Completed(false, new BitSet());
                }
            }
            case Idle _, Listening _, Paused _, Failed _ -> {}
        }
    }

    private void fail(String reason, Consumer<DestinationEffect> out) {
        error = reason;
        deadline.none();
        if (nonce >= 0) {
            deadNonce = nonce;
        }
        if (state instanceof Active active && active.returnPath()) {
            out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Shut(Wire.SHUT_FAILED)));
        }
        out.accept(new DestinationEffect.CloseChannels());
        become(new Failed(), reason, out);
    }

    private void become(DestinationState next, String reason, Consumer<DestinationEffect> out) {
        MigrationStatus from = status();
        state = next;
        if (from != next.status()) {
            out.accept(new DestinationEffect.StatusChanged(from, next.status(), reason));
        }
    }

    public DestinationMachine copy() {
        DestinationMachine copy = new DestinationMachine(options, parameters);
        copy.state = state;
        copy.deadline.become(deadline);
        copy.heardAt = heardAt;
        copy.nonce = nonce;
        copy.deadNonce = deadNonce;
        copy.ran = ran;
        copy.packagedPings = packagedPings;
        copy.error = error;
        return copy;
    }

    /** Everything that decides its future, with times relative to {@code now}. */
    public String fingerprint(long now) {
        return state + " " + deadline.relativeTo(now) + " " + (heardAt < 0 ? "-" : heardAt - now) + " " + nonce + "/"
                + deadNonce + ran + packagedPings + parameters;
    }
}
