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
import java.util.BitSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A source's present attempt to reach its destination: the state, what it waits for and until when, and how an attempt ends. The one place that
 * decides where a failure leads. Used by {@link SourceMachine} and {@link SourceHandshake}.
 */
final class SourceAttempt {
    final MigrationOptions options;
    final Liveness liveness = new Liveness();
    Parameters parameters;
    SourceState state = new Idle();

    /** There is a preempt channel, or none is wanted. */
    boolean preemptReady;

    /** This attempt has asked for its preempt channel, or none is wanted. */
    boolean preemptAsked;

    boolean multifdReady;

    /** Why the preempt channel is gone, inside a handshake that has to be brought to its end; else null. */
    @Nullable
    String preemptLost;

    @Nullable
    String error;

    final Deadline deadline = new Deadline();

    SourceAttempt(MigrationOptions options, Parameters parameters) {
        this.options = options;
        this.parameters = parameters;
        this.preemptReady = !options.preempt();
        this.preemptAsked = preemptReady;
        this.multifdReady = options.multifd() == null;
    }

    MigrationStatus status() {
        return state.status();
    }

    /** A new attempt: nothing is known to have gone wrong, no channel is there. */
    void begin() {
        error = null;
        preemptLost = null;
        preemptReady = !options.preempt();
        preemptAsked = preemptReady;
        multifdReady = options.multifd() == null;
    }

    /** Whether all that is needed for a switchover is connected. */
    boolean channelsReady() {
        return preemptReady && multifdReady;
    }

    /** Asks for the preempt channel, once in an attempt. */
    void connectPreempt(Consumer<SourceEffect> out) {
        if (!preemptAsked) {
            preemptAsked = true;
            out.accept(new SourceEffect.Connect(Channel.PREEMPT));
        }
    }

    long nextTick() {
        long next = watched() ? liveness.nextTick(parameters) : Long.MAX_VALUE;
        return Math.min(next, deadline.at(parameters));
    }

    void become(SourceState next, String reason, Consumer<SourceEffect> out) {
        MigrationStatus from = status();
        state = next;
        if (from != next.status()) {
            out.accept(new SourceEffect.StatusChanged(from, next.status(), reason));
        }
    }

    void tick(long now, Consumer<SourceEffect> out) {
        if (now >= deadline.at(parameters)) {
            giveUp("nothing came for too long in " + status(), out);
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
                            Held _,
                            Uncertain _,
                            Completed _,
                            Failed _,
                            Cancelled _ -> false;
                };
    }

    /** An operator or a deadline ends the attempt, while its channels may be well: one that the peer's life hangs on is held. */
    void giveUp(String reason, Consumer<SourceEffect> out) {
        if (state instanceof Recover recover && parameters.peerMayBe72()) {
            error = reason;
            deadline.none();
            become(new Held(recover), reason + "; the channel is held", out);
        } else {
            lost(reason, out);
        }
    }

    /** What was held is used again. */
    void revive(long now, Consumer<SourceEffect> out) {
        if (state instanceof Held(Recover handshake)) {
            deadline.expect(Deadline.Kind.HANDSHAKE, now);
            become(handshake, "the channel that was held has come back to life", out);
        }
    }

    /** The current attempt is over: a channel broke, a peer erred, a deadline passed, or an operator said so. */
    void lost(String reason, Consumer<SourceEffect> out) {
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
            case Held(Recover handshake) -> fallBack(handshake.origin(), reason, out);
            case Idle _, Paused _, Uncertain _, Completed _, Failed _, Cancelled _ -> {}
        }
    }

    void fallBack(Lost origin, String reason, Consumer<SourceEffect> out) {
        error = reason;
        drop(reason, out);
        become(origin == Lost.POSTCOPY ? new Paused() : new Uncertain(origin, false), reason, out);
    }

    void drop(String reason, Consumer<SourceEffect> out) {
        deadline.none();
        liveness.stop();
        out.accept(new SourceEffect.DropChannels(reason));
    }

    void complete(String reason, Consumer<SourceEffect> out) {
        deadline.none();
        liveness.stop();
        out.accept(new SourceEffect.CloseChannels());
        out.accept(new SourceEffect.Forget());
        become(new Completed(options.returnPath()), reason, out);
    }

    void become(SourceAttempt other) {
        state = other.state;
        deadline.become(other.deadline);
        preemptReady = other.preemptReady;
        preemptAsked = other.preemptAsked;
        multifdReady = other.multifdReady;
        preemptLost = other.preemptLost;
        error = other.error;
        liveness.become(other.liveness);
    }

    /** What decides its future, with times relative to {@code now}. */
    String fingerprint(long now) {
        return state + " " + deadline.relativeTo(now) + " " + liveness.relativeTo(now) + " " + preemptReady
                + preemptAsked + multifdReady + (preemptLost != null) + parameters + options;
    }
}
