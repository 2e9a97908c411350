// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.SourceState.Active;
import io.godwit.protocol.SourceState.AwaitingShut;
import io.godwit.protocol.SourceState.Cancelled;
import io.godwit.protocol.SourceState.Completed;
import io.godwit.protocol.SourceState.Failed;
import io.godwit.protocol.SourceState.Flushing;
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
 * <p>Not safe for several threads: used by the migration's owner only. Times are nanoseconds of any monotonic clock.
 */
public final class SourceMachine {
    private final MigrationOptions options;
    private Parameters parameters;
    private SourceState state = new Idle();
    private final Liveness liveness = new Liveness();
    private long deadline = -1;
    private boolean postcopyWanted;
    private boolean preemptReady;
    private boolean ponged;
    private boolean acknowledged;
    private @Nullable String error;

    public SourceMachine(MigrationOptions options, Parameters parameters) {
        this.options = options;
        this.parameters = parameters;
        this.preemptReady = !options.preempt();
    }

    public SourceState state() {
        return state;
    }

    public MigrationStatus status() {
        return state.status();
    }

    public MigrationOptions options() {
        return options;
    }

    /** What went wrong last, or null; cleared by the next attempt. */
    public @Nullable String error() {
        return error;
    }

    /** Takes effect at once. */
    public void parameters(Parameters changed) {
        parameters = changed;
    }

    /** Whether an operator's stop of this process would lose what exists nowhere else. */
    public boolean holdsGuestData() {
        return switch (state) {
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> false;
            case AwaitingShut _, PostcopyActive _, Paused _, RecoverSetup _, Recover _, Uncertain _ -> true;
        };
    }

    /** Whether the source may never run its guest by itself (or by a plain cont) again. */
    public boolean committed() {
        return holdsGuestData() || state instanceof Completed;
    }

    /** Whether the operator's switch to postcopy can be made at once: {@link SourceInput.Estimate} brings it about. */
    public boolean switchWanted() {
        return state instanceof Active && postcopyWanted && ponged && preemptReady;
    }

    /** When {@link SourceInput.Tick} is wanted, or {@link Long#MAX_VALUE}. */
    public long nextTick() {
        long next = watched() ? liveness.nextTick(parameters) : Long.MAX_VALUE;
        return deadline < 0 ? next : Math.min(next, deadline);
    }

    /** Why the operator's input cannot be carried out now, as a sentence, or null if it can. */
    public @Nullable String refuse(SourceInput input) {
        return SourceRefusals.refuse(input, state, options);
    }

    /** A byte came on the return path, or a queue that had been full moved: a handshake is not silent. */
    public void progressed(long now) {
        if (state instanceof Recover) {
            deadline = after(parameters.handshakeTimeoutMillis(), now);
        }
    }

    /** One step. Operators' inputs that {@link #refuse} refuses must not be given. */
    public void handle(SourceInput input, long now, Consumer<SourceEffect> out) {
        switch (input) {
            case SourceInput.Migrate _ -> migrate(now, out);
            case SourceInput.Resume _ -> resume(now, out);
            case SourceInput.StartPostcopy _ -> postcopyWanted = true;
            case SourceInput.Continue _ -> proceed(out);
            case SourceInput.Pause _ -> lost("paused by the operator (migrate-pause)", out);
            case SourceInput.Cancel _ -> cancel(out);
            case SourceInput.ResolveHere _ -> {
                out.accept(new SourceEffect.Forget());
                become(new Failed(), "the operator gave the guest back to the source", out);
                out.accept(new SourceEffect.ResumeGuest());
            }
            case SourceInput.ResolveThere _ -> resolveThere(out);
            case SourceInput.Connected(Channel channel) -> connected(channel, now, out);
            case SourceInput.Broken(Channel channel, String reason) -> broken(channel, reason, out);
            case SourceInput.Received(ReturnPathMessage message) -> received(message, now, out);
            case SourceInput.GuestStopped _ -> guestStopped(out);
            case SourceInput.Estimate(long remaining, double speed) -> estimate(remaining, speed, out);
            case SourceInput.NothingLeft _ -> nothingLeft(now, out);
            case SourceInput.Written(SourceInput.Mark mark) -> written(mark, now, out);
            case SourceInput.Tick _ -> tick(now, out);
        }
    }

    private void migrate(long now, Consumer<SourceEffect> out) {
        error = null;
        postcopyWanted = false;
        preemptReady = !options.preempt();
        ponged = false;
        acknowledged = false;
        deadline = after(parameters.livenessTimeoutMillis(), now);
        become(new Setup(), "migrate", out);
        out.accept(new SourceEffect.Connect(Channel.MAIN));
    }

    private void resume(long now, Consumer<SourceEffect> out) {
        Lost origin = switch (state) {
            case Paused _ -> Lost.POSTCOPY;
            case Uncertain(Lost lost, boolean _) -> lost;
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    AwaitingShut _,
                    PostcopyActive _,
                    RecoverSetup _,
                    Recover _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> throw new IllegalStateException("resume in " + state);
        };
        error = null;
        preemptReady = !options.preempt();
        deadline = after(parameters.handshakeTimeoutMillis(), now);
        become(new RecoverSetup(origin), "migrate with resume", out);
        out.accept(new SourceEffect.Connect(Channel.MAIN));
    }

    private void connected(Channel channel, long now, Consumer<SourceEffect> out) {
        if (channel == Channel.PREEMPT) {
            preemptReady = true;
            if (state instanceof Recover recover) {
                resumeIfReady(recover, out);
            }
            return;
        }
        if (state instanceof Setup) {
            deadline = -1;
            out.accept(new SourceEffect.SendOpening());
            connectPreempt(out);
            out.accept(new SourceEffect.BeginPrecopy());
            if (options.returnPath()) {
                liveness.start(now, parameters);
            }
            become(new Active(), "connected", out);
        } else if (state instanceof RecoverSetup(Lost origin)) {
            BitSet missing = new BitSet();
            missing.set(0, options.blocks());
            deadline = after(parameters.handshakeTimeoutMillis(), now);
            become(new Recover(origin, missing, false), "connected, asking for the received bitmaps", out);
            out.accept(new SourceEffect.SendBitmapRequests());
            connectPreempt(out);
        } else {
            throw new IllegalStateException("main channel connected in " + state);
        }
    }

    private void connectPreempt(Consumer<SourceEffect> out) {
        if (options.preempt()) {
            out.accept(new SourceEffect.Connect(Channel.PREEMPT));
        }
    }

    private void estimate(long remaining, double speed, Consumer<SourceEffect> out) {
        if (!(state instanceof Active) || !preemptReady) {
            return;
        }
        boolean small = remaining == 0 || remaining <= speed * parameters.downtimeLimitMillis() / 1000;
        boolean converged = small && (acknowledged || !options.switchoverAck());
        // A destination that has answered once can answer: without it the switch would be made into the blue.
        if ((postcopyWanted && ponged) || (converged && (ponged || !options.returnPath()))) {
            become(new Stopping(), postcopyWanted ? "switching to postcopy" : "converged", out);
            out.accept(new SourceEffect.StopGuest());
        }
    }

    private void guestStopped(Consumer<SourceEffect> out) {
        if (!(state instanceof Stopping)) {
            return;
        }
        if (options.pauseBeforeSwitchover()) {
            become(new PreSwitchover(), "guest stopped, waiting for migrate-continue", out);
        } else {
            switchOver(out);
        }
    }

    private void proceed(Consumer<SourceEffect> out) {
        if (state instanceof PreSwitchover) {
            switchOver(out);
        }
    }

    private void switchOver(Consumer<SourceEffect> out) {
        become(new Flushing(postcopyWanted, postcopyWanted), "guest stopped", out);
        out.accept(new SourceEffect.FreezeDirty());
        if (postcopyWanted) {
            out.accept(new SourceEffect.SendSwitchToPostcopy());
        }
    }

    private void nothingLeft(long now, Consumer<SourceEffect> out) {
        if (state instanceof Flushing(boolean postcopy, boolean closing) && !postcopy && !closing) {
            become(new Flushing(false, true), "last pages sent", out);
            out.accept(new SourceEffect.SendPrecopyEnd());
        } else if (state instanceof PostcopyActive(boolean proven, boolean ended) && !ended) {
            become(new PostcopyActive(proven, true), "last pages sent", out);
            liveness.stop();
            deadline = after(parameters.livenessTimeoutMillis(), now);
            out.accept(new SourceEffect.SendPostcopyEnd());
        }
    }

    private void written(SourceInput.Mark mark, long now, Consumer<SourceEffect> out) {
        switch (mark) {
            case PING -> liveness.written(now);
            case COMMIT -> {
                if (state instanceof Flushing(boolean postcopy, boolean _)) {
                    if (postcopy) {
                        become(new PostcopyActive(false, false), "the guest is the destination's", out);
                    } else {
                        liveness.stop();
                        deadline = options.returnPath() ? after(parameters.livenessTimeoutMillis(), now) : -1;
                        become(new AwaitingShut(), "everything sent", out);
                    }
                }
            }
            case END -> {
                if (state instanceof AwaitingShut && !options.returnPath()) {
                    complete("everything sent; without a return path nothing confirms it", out);
                } else if (state instanceof AwaitingShut || state instanceof PostcopyActive) {
                    deadline = after(parameters.livenessTimeoutMillis(), now);
                }
            }
        }
    }

    private void received(ReturnPathMessage message, long now, Consumer<SourceEffect> out) {
        liveness.heard(
                message instanceof ReturnPathMessage.Pong(int value) && Wire.isKeepAlive(value), now, parameters);
        switch (message) {
            case ReturnPathMessage.Pong(int value) -> ponged(value, out);
            case ReturnPathMessage.SwitchoverAck _ -> acknowledged = true;
            case ReturnPathMessage.Shut(int status) -> shut(status, out);
            case ReturnPathMessage.ReqPagesId _, ReturnPathMessage.ReqPages _ -> {
                if (!(state instanceof PostcopyActive)) {
                    lost("the destination asked for a page in " + status(), out);
                }
            }
            case ReturnPathMessage.RecvBitmap bitmap -> bitmap(bitmap.block(), out);
            case ReturnPathMessage.ResumeAck(int value) -> resumeAck(value, now, out);
        }
    }

    private void ponged(int value, Consumer<SourceEffect> out) {
        ponged = true;
        if (value == Wire.PING_LOADED && state instanceof PostcopyActive(boolean proven, boolean ended) && !proven) {
            become(new PostcopyActive(true, ended), "the destination has loaded the device state", out);
        }
    }

    private void shut(int status, Consumer<SourceEffect> out) {
        String said = "the destination ended with status " + status;
        switch (state) {
            case AwaitingShut _ -> {
                if (status == Wire.SHUT_OK) {
                    complete("the destination has everything", out);
                } else {
                    lost(said, out);
                }
            }
            case PostcopyActive(boolean _, boolean ended) -> {
                if (ended && status == Wire.SHUT_OK) {
                    complete("the destination has everything", out);
                } else {
                    lost(ended ? said : said + " before everything was sent", out);
                }
            }
            case RecoverSetup(Lost origin) -> neverRan(origin, status, said, out);
            case Recover(Lost origin, BitSet _, boolean _) -> neverRan(origin, status, said, out);
            case Active _, Stopping _, PreSwitchover _, Flushing _, Setup _ ->
                lost(said + " before the switchover", out);
            case Idle _, Paused _, Uncertain _, Completed _, Failed _, Cancelled _ -> {}
        }
    }

    private void neverRan(Lost origin, int status, String said, Consumer<SourceEffect> out) {
        if (status != Wire.neverRan(options.nonce())) {
            lost(said + " inside the recovery", out);
        } else if (origin == Lost.POSTCOPY) {
            lost("that endpoint says it never had the guest, but the destination had it: wrong address?", out);
        } else {
            drop("the destination never got the guest", out);
            become(
                    new Uncertain(origin, true),
                    "the destination says it never got the guest whole and cannot run it; x-godwit-migrate-resolve owner=source lets it run here again",
                    out);
        }
    }

    private void bitmap(int block, Consumer<SourceEffect> out) {
        if (!(state instanceof Recover recover) || recover.resumeSent()) {
            lost("the destination sent a received bitmap in " + status() + ", where none was asked for", out);
        } else if (!recover.missing().get(block)) {
            lost("the destination sent the received bitmap of block " + block + " twice", out);
        } else {
            BitSet missing = (BitSet) recover.missing().clone();
            missing.clear(block);
            Recover next = new Recover(recover.origin(), missing, false);
            become(next, "received bitmap of block " + block, out);
            resumeIfReady(next, out);
        }
    }

    private void resumeIfReady(Recover recover, Consumer<SourceEffect> out) {
        if (recover.missing().isEmpty() && preemptReady && !recover.resumeSent()) {
            become(
                    new Recover(recover.origin(), recover.missing(), true),
                    "all received bitmaps are here, resuming",
                    out);
            out.accept(new SourceEffect.SendResume());
        }
    }

    private void resumeAck(int value, long now, Consumer<SourceEffect> out) {
        if (state instanceof Recover recover && recover.resumeSent() && value == 1) {
            deadline = -1;
            liveness.start(now, parameters);
            become(new PostcopyActive(true, false), "the destination goes on", out);
        } else {
            lost("the destination sent RESUME_ACK " + value + " in " + status() + ", where it was not expected", out);
        }
    }

    private void broken(Channel channel, String reason, Consumer<SourceEffect> out) {
        if (channel == Channel.PREEMPT && state instanceof PostcopyActive(boolean _, boolean ended) && ended) {
            // A destination may close it once it misses nothing; main says how it ended (spec/sequences.md §7).
            return;
        }
        lost((channel == Channel.MAIN ? "main channel: " : "preempt channel: ") + reason, out);
    }

    private void tick(long now, Consumer<SourceEffect> out) {
        if (deadline >= 0 && now >= deadline) {
            lost("nothing came for too long in " + status(), out);
        } else if (watched() && liveness.silent(now, parameters)) {
            lost(
                    "the destination left a PING unanswered for " + parameters.livenessTimeoutMillis()
                            + " ms: the path is silent",
                    out);
        } else if (watched() && liveness.pingDue(now, parameters)) {
            out.accept(new SourceEffect.SendKeepAlive());
        }
    }

    /** Whether PINGs may stand in the stream now. */
    private boolean watched() {
        return options.returnPath()
                && switch (state) {
                    case Active _, Stopping _, PreSwitchover _ -> true;
                    case Flushing(boolean _, boolean closing) -> !closing;
                    case PostcopyActive(boolean _, boolean ended) -> !ended;
                    case Idle _,
                            Setup _,
                            AwaitingShut _,
                            Paused _,
                            RecoverSetup _,
                            Recover _,
                            Uncertain _,
                            Completed _,
                            Failed _,
                            Cancelled _ -> false;
                };
    }

    /** The current attempt is over: a channel broke, a peer erred, a deadline passed, or an operator said so. */
    private void lost(String reason, Consumer<SourceEffect> out) {
        switch (state) {
            case Setup _, Active _, Stopping _, PreSwitchover _, Flushing _ -> {
                error = reason;
                boolean stopped = !(state instanceof Setup || state instanceof Active);
                drop(reason, out);
                out.accept(new SourceEffect.Forget());
                become(new Failed(), reason, out);
                if (stopped) {
                    out.accept(new SourceEffect.ResumeGuest());
                }
            }
            case AwaitingShut _ -> fallBack(Lost.PRECOPY_UNPROVEN, reason, out);
            case PostcopyActive(boolean proven, boolean _) ->
                fallBack(proven ? Lost.POSTCOPY : Lost.POSTCOPY_UNPROVEN, reason, out);
            case RecoverSetup(Lost origin) -> fallBack(origin, reason, out);
            case Recover(Lost origin, BitSet _, boolean _) -> fallBack(origin, reason, out);
            case Idle _, Paused _, Uncertain _, Completed _, Failed _, Cancelled _ -> {}
        }
    }

    private void fallBack(Lost origin, String reason, Consumer<SourceEffect> out) {
        error = reason;
        drop(reason, out);
        become(origin == Lost.POSTCOPY ? new Paused() : new Uncertain(origin, false), reason, out);
    }

    private void drop(String reason, Consumer<SourceEffect> out) {
        deadline = -1;
        liveness.stop();
        out.accept(new SourceEffect.DropChannels(reason));
    }

    private void cancel(Consumer<SourceEffect> out) {
        if (refuse(new SourceInput.Cancel()) != null || !running()) {
            return;
        }
        boolean stopped = !(state instanceof Setup || state instanceof Active);
        out.accept(new SourceEffect.StatusChanged(status(), MigrationStatus.CANCELLING, "migrate_cancel"));
        drop("cancelled by the operator", out);
        out.accept(new SourceEffect.Forget());
        state = new Cancelled();
        out.accept(new SourceEffect.StatusChanged(
                MigrationStatus.CANCELLING, MigrationStatus.CANCELLED, "migrate_cancel"));
        if (stopped) {
            out.accept(new SourceEffect.ResumeGuest());
        }
    }

    private boolean running() {
        return switch (state) {
            case Setup _, Active _, Stopping _, PreSwitchover _, Flushing _ -> true;
            case Idle _,
                    AwaitingShut _,
                    PostcopyActive _,
                    Paused _,
                    RecoverSetup _,
                    Recover _,
                    Uncertain _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> false;
        };
    }

    private void resolveThere(Consumer<SourceEffect> out) {
        if (state instanceof Uncertain(Lost origin, boolean _)) {
            if (origin == Lost.PRECOPY_UNPROVEN) {
                out.accept(new SourceEffect.Forget());
                become(new Completed(), "the operator says that the destination has the guest", out);
            } else {
                become(new Paused(), "the operator says that the destination has the guest", out);
            }
        }
    }

    private void complete(String reason, Consumer<SourceEffect> out) {
        deadline = -1;
        liveness.stop();
        out.accept(new SourceEffect.CloseChannels());
        out.accept(new SourceEffect.Forget());
        become(new Completed(), reason, out);
    }

    private void become(SourceState next, String reason, Consumer<SourceEffect> out) {
        MigrationStatus from = status();
        state = next;
        if (from != next.status()) {
            out.accept(new SourceEffect.StatusChanged(from, next.status(), reason));
        }
    }

    private static long after(long millis, long now) {
        return millis == 0 ? -1 : now + Liveness.millis(millis);
    }

    /** An independent copy, for exploring what could happen. */
    public SourceMachine copy() {
        SourceMachine copy = new SourceMachine(options, parameters);
        copy.state = state;
        copy.deadline = deadline;
        copy.postcopyWanted = postcopyWanted;
        copy.preemptReady = preemptReady;
        copy.ponged = ponged;
        copy.acknowledged = acknowledged;
        copy.error = error;
        copy.liveness.become(liveness);
        return copy;
    }

    /** Everything that decides its future, with times relative to {@code now}: two machines with equal fingerprints behave alike. */
    public String fingerprint(long now) {
        return state + " " + (deadline < 0 ? "-" : deadline - now) + " " + liveness.relativeTo(now) + " "
                + postcopyWanted + preemptReady + ponged + acknowledged + parameters + options;
    }
}
