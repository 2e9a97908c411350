// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.SourceState.Active;
import io.godwit.protocol.SourceState.AwaitingShut;
import io.godwit.protocol.SourceState.Cancelled;
import io.godwit.protocol.SourceState.Completed;
import io.godwit.protocol.SourceState.Failed;
import io.godwit.protocol.SourceState.Flushing;
import io.godwit.protocol.SourceState.Held;
import io.godwit.protocol.SourceState.Idle;
import io.godwit.protocol.SourceState.Lost;
import io.godwit.protocol.SourceState.Paused;
import io.godwit.protocol.SourceState.PostcopyActive;
import io.godwit.protocol.SourceState.PreSwitchover;
import io.godwit.protocol.SourceState.Recover;
import io.godwit.protocol.SourceState.RecoverSetup;
import io.godwit.protocol.SourceState.Setup;
import io.godwit.protocol.SourceState.Stopping;
import io.godwit.protocol.SourceState.Uncertain;
import io.godwit.wire.ReturnPathMessage;
import java.util.BitSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The source of a migration as a machine without I/O: an input and the time go in, effects come out. It knows what may be sent and what every
 * message, failure and operator's word means; it holds no page and no byte.
 *
 * <p>Its promises (DESIGN, rules 5 to 7): before the commit point every failure gives the guest back to the source; past it the guest never runs
 * here again but by an operator's word; past it every failure, at any place of a recovery too, leads to paused (or to uncertain, while nothing proves that the
 * destination has the guest), and from there recovery can be tried without limit. There is no state without a way out by an operator, and
 * no wait in RecoverSetup and Recover without a deadline.
 *
 * <p>Not safe for several threads: used by the migration's owner only. Times are nanoseconds of a monotonic clock that never shows less than 0.
 */
public final class SourceMachine {
    private final SourceAttempt attempt;
    private final SourceHandshake handshake;
    private final SourceSwitchover switchover;

    public SourceMachine(MigrationOptions options, Parameters parameters) {
        attempt = new SourceAttempt(options, parameters);
        handshake = new SourceHandshake(attempt);
        switchover = new SourceSwitchover(attempt);
    }

    /**
     * A machine whose migration an earlier process began and may have carried past its commit point: uncertain, to be recovered or resolved.
     *
     * @param origin what is known of it
     */
    public static SourceMachine interrupted(MigrationOptions options, Parameters parameters, Lost origin) {
        SourceMachine machine = new SourceMachine(options, parameters);
        machine.attempt.state = origin == Lost.POSTCOPY ? new Paused() : new Uncertain(origin, false);
        return machine;
    }

    public SourceState state() {
        return attempt.state;
    }

    public MigrationStatus status() {
        return attempt.status();
    }

    public MigrationOptions options() {
        return attempt.options;
    }

    /** What went wrong last, or null; cleared by the next attempt. */
    public @Nullable String error() {
        return attempt.error;
    }

    /** Takes effect at once. */
    public void parameters(Parameters changed) {
        attempt.parameters = changed;
    }

    /** Whether an operator's stop of this process would lose what exists nowhere else. */
    public boolean holdsGuestData() {
        return attempt.state.holdsGuestData();
    }

    /** Whether the source may never run its guest by itself (or by a plain cont) again. */
    public boolean committed() {
        return holdsGuestData() || attempt.state instanceof Completed;
    }

    /** Whether the operator's switch to postcopy can be made at once: {@link SourceInput.Estimate} brings it about. */
    public boolean switchWanted() {
        return switchover.wanted();
    }

    /** Whether no page is to be sent before the switch to postcopy. */
    public boolean pagesWait() {
        return switchover.pagesWait();
    }

    /** Whether a channel is kept though the migration is paused, because the peer would not survive its end. */
    public boolean held() {
        return attempt.state instanceof Held;
    }

    /** When {@link SourceInput.Tick} is wanted, or {@link Long#MAX_VALUE}. */
    public long nextTick() {
        return attempt.nextTick();
    }

    /** Why the operator's input cannot be carried out now, as a sentence, or null if it can. */
    public @Nullable String refuse(SourceInput input) {
        return SourceRefusals.refuse(input, attempt.state, attempt.options);
    }

    /** Bytes came on the return path: whatever is waited for, the path is not silent. */
    public void progressed(long now) {
        attempt.deadline.progressed(now);
    }

    /** Bytes were handed to the kernel: whoever is at the other end, or on the way to it, takes them. */
    public void moved(long now) {
        attempt.liveness.moved(now);
        if (!(attempt.state instanceof Recover)) {
            attempt.deadline.progressed(now);
        }
    }

    /**
     * Bytes were handed to the kernel on a multifd channel: whoever takes them is alive, and a PING on main may have to wait behind a sync point for them.
     */
    public void movedBeside(long now) {
        moved(now);
        attempt.liveness.heard(false, now, attempt.parameters);
    }

    /** One step. Operators' inputs that {@link #refuse} refuses must not be given. */
    public void handle(SourceInput input, long now, Consumer<SourceEffect> out) {
        switch (input) {
            case SourceInput.Migrate(boolean wanted) -> migrate(wanted, now, out);
            case SourceInput.Resume _ -> handshake.resume(now, out);
            case SourceInput.StartPostcopy _ -> switchover.startPostcopy();
            case SourceInput.Continue _ -> switchover.proceed(now, out);
            case SourceInput.Pause _ -> attempt.giveUp("paused by the operator (migrate-pause)", out);
            case SourceInput.Cancel _ -> cancel(out);
            case SourceInput.ResolveHere _ -> {
                out.accept(new SourceEffect.Forget());
                attempt.become(new Failed(), "the operator gave the guest back to the source", out);
                out.accept(new SourceEffect.ResumeGuest());
            }
            case SourceInput.ResolveThere _ -> resolveThere(out);
            case SourceInput.ResolveWhole _ -> {
                out.accept(new SourceEffect.Forget());
                attempt.become(new Completed(true), "the operator says that the destination has everything", out);
            }
            case SourceInput.Revived _ -> attempt.revive(now, out);
            case SourceInput.Connected(Channel channel) -> connected(channel, now, out);
            case SourceInput.Broken(Channel channel, String reason) -> broken(channel, reason, out);
            case SourceInput.Received(ReturnPathMessage message) -> received(message, now, out);
            case SourceInput.GuestStopped _ -> switchover.guestStopped(now, out);
            case SourceInput.StopFailed(String reason) -> {
                if (attempt.state instanceof Stopping) {
                    attempt.lost(reason, out);
                }
            }
            case SourceInput.StorageFailed(String reason) -> attempt.lost(reason, out);
            case SourceInput.Estimate(long remaining, double speed) -> switchover.estimate(remaining, speed, out);
            case SourceInput.NothingLeft _ -> nothingLeft(now, out);
            case SourceInput.Written(SourceInput.Mark mark) -> written(mark, now, out);
            case SourceInput.Tick _ -> attempt.tick(now, out);
        }
    }

    private void migrate(boolean wanted, long now, Consumer<SourceEffect> out) {
        attempt.begin();
        switchover.begin(wanted);
        attempt.deadline.expect(Deadline.Kind.LIVENESS, now);
        attempt.become(new Setup(), "migrate", out);
        out.accept(new SourceEffect.Connect(Channel.MAIN));
    }

    private void connected(Channel channel, long now, Consumer<SourceEffect> out) {
        if (channel == Channel.PREEMPT) {
            attempt.preemptReady = true;
            // That it is connected says nothing of the peer, unless nothing but this was waited for.
            if (attempt.state instanceof Held(Recover held) && held.missing().isEmpty()) {
                attempt.revive(now, out);
            }
            handshake.preemptConnected(out);
        } else if (channel == Channel.MULTIFD) {
            attempt.multifdReady = true;
        } else if (attempt.state instanceof Setup) {
            attempt.deadline.none();
            out.accept(new SourceEffect.SendOpening());
            if (attempt.options.multifd() != null) {
                // Never before main: 7.2 takes the first connection for it (spec/multifd.md §1).
                out.accept(new SourceEffect.Connect(Channel.MULTIFD));
            }
            attempt.connectPreempt(out);
            out.accept(new SourceEffect.BeginPrecopy());
            if (attempt.options.returnPath()) {
                attempt.liveness.start(now);
            }
            attempt.become(new Active(), "connected", out);
        } else if (attempt.state instanceof RecoverSetup(Lost origin)) {
            handshake.connected(origin, now, out);
        } else {
            throw new IllegalStateException("main channel connected in " + attempt.state);
        }
    }

    private void nothingLeft(long now, Consumer<SourceEffect> out) {
        if (attempt.state instanceof Flushing(boolean postcopy, boolean closing) && !postcopy && !closing) {
            attempt.become(new Flushing(false, true), "last pages sent", out);
            out.accept(new SourceEffect.SendPrecopyEnd());
        } else if (attempt.state instanceof PostcopyActive(boolean proven, boolean ended) && !ended) {
            attempt.become(new PostcopyActive(proven, true), "last pages sent", out);
            attempt.liveness.stop();
            attempt.deadline.expect(Deadline.Kind.LIVENESS, now);
            out.accept(new SourceEffect.SendPostcopyEnd());
        }
    }

    private void written(SourceInput.Mark mark, long now, Consumer<SourceEffect> out) {
        switch (mark) {
            case PING -> attempt.liveness.written(now);
            case COMMIT -> {
                if (attempt.state instanceof Flushing(boolean postcopy, boolean closing) && closing) {
                    if (postcopy) {
                        attempt.deadline.none();
                        attempt.become(new PostcopyActive(false, false), "the guest is the destination's", out);
                    } else {
                        attempt.liveness.stop();
                        attempt.deadline.expect(Deadline.Kind.LIVENESS, now);
                        attempt.become(new AwaitingShut(), "everything sent", out);
                    }
                }
            }
            case END -> {
                if (attempt.state instanceof AwaitingShut && !attempt.options.returnPath()) {
                    attempt.complete("everything sent; without a return path nothing confirms it", out);
                } else if (attempt.state instanceof AwaitingShut || attempt.state instanceof PostcopyActive) {
                    attempt.deadline.expect(Deadline.Kind.LIVENESS, now);
                }
            }
        }
    }

    private void received(ReturnPathMessage message, long now, Consumer<SourceEffect> out) {
        attempt.revive(now, out);
        attempt.liveness.heard(
                message instanceof ReturnPathMessage.Pong(int value) && Wire.isKeepAlive(value),
                now,
                attempt.parameters);
        switch (message) {
            case ReturnPathMessage.Pong(int value) -> ponged(value, out);
            case ReturnPathMessage.SwitchoverAck _ -> switchover.acknowledged();
            case ReturnPathMessage.Shut(int status) -> shut(status, out);
            case ReturnPathMessage.ReqPagesId _, ReturnPathMessage.ReqPages _ -> {
                if (!(attempt.state instanceof PostcopyActive)) {
                    attempt.lost("the destination asked for a page in " + status(), out);
                }
            }
            case ReturnPathMessage.RecvBitmap bitmap -> handshake.bitmap(bitmap.block(), out);
            case ReturnPathMessage.ResumeAck(int value) -> handshake.resumeAck(value, now, out);
        }
    }

    private void ponged(int value, Consumer<SourceEffect> out) {
        switchover.ponged(value);
        if (value == Wire.PING_LOADED
                && attempt.state instanceof PostcopyActive(boolean proven, boolean ended)
                && !proven) {
            attempt.become(new PostcopyActive(true, ended), "the destination has loaded the device state", out);
        }
    }

    private void shut(int status, Consumer<SourceEffect> out) {
        String said = "the destination ended with status " + status;
        switch (attempt.state) {
            case AwaitingShut _ -> {
                if (status == Wire.SHUT_OK) {
                    attempt.complete("the destination has everything", out);
                } else {
                    attempt.lost(said, out);
                }
            }
            case PostcopyActive(boolean _, boolean ended) -> {
                if (ended && status == Wire.SHUT_OK) {
                    attempt.complete("the destination has everything", out);
                } else {
                    attempt.lost(ended ? said : said + " before everything was sent", out);
                }
            }
            case RecoverSetup(Lost origin) -> handshake.neverRan(origin, status, said, out);
            case Recover(Lost origin, BitSet _, boolean _) -> handshake.neverRan(origin, status, said, out);
            case Active _, Stopping _, PreSwitchover _, Flushing _, Setup _ ->
                attempt.lost(said + " before the switchover", out);
            case Idle _, Paused _, Held _, Uncertain _, Completed _, Failed _, Cancelled _ -> {}
        }
    }

    private void broken(Channel channel, String reason, Consumer<SourceEffect> out) {
        if (channel == Channel.PREEMPT && attempt.state instanceof PostcopyActive(boolean _, boolean ended) && ended) {
            // A destination may close it once it misses nothing; main says how it ended (spec/sequences.md §7).
            return;
        }
        if (channel == Channel.MULTIFD && !attempt.state.revocable()) {
            // The kernel had all of it before the commit point: nothing more is to be said there.
            return;
        }
        if (channel == Channel.PREEMPT && handshake.outlives(reason, out)) {
            return;
        }
        attempt.lost(channel.title() + reason, out);
    }

    private void cancel(Consumer<SourceEffect> out) {
        if (!attempt.state.revocable()) {
            return;
        }
        boolean stopped = !(attempt.state instanceof Setup || attempt.state instanceof Active);
        out.accept(new SourceEffect.StatusChanged(status(), MigrationStatus.CANCELLING, "migrate_cancel"));
        attempt.drop("cancelled by the operator", out);
        out.accept(new SourceEffect.Forget());
        attempt.state = new Cancelled();
        out.accept(new SourceEffect.StatusChanged(
                MigrationStatus.CANCELLING, MigrationStatus.CANCELLED, "migrate_cancel"));
        if (stopped) {
            out.accept(new SourceEffect.ResumeGuest());
        }
    }

    private void resolveThere(Consumer<SourceEffect> out) {
        if (attempt.state instanceof Uncertain(Lost origin, boolean _)) {
            if (origin == Lost.PRECOPY_UNPROVEN) {
                out.accept(new SourceEffect.Forget());
                attempt.become(new Completed(true), "the operator says that the destination has the guest", out);
            } else {
                attempt.become(new Paused(), "the operator says that the destination has the guest", out);
            }
        }
    }

    /** An independent copy, for exploring what could happen. */
    public SourceMachine copy() {
        SourceMachine copy = new SourceMachine(attempt.options, attempt.parameters);
        copy.attempt.become(attempt);
        copy.switchover.become(switchover);
        return copy;
    }

    /** Everything that decides its future, with times relative to {@code now}: two machines with equal fingerprints behave alike. */
    public String fingerprint(long now) {
        return attempt.fingerprint(now) + " " + switchover.fingerprint();
    }
}
