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
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A destination's state with what is known of its source, and how a channel, or the whole migration, ends. The one place that decides where a failure leads. Used by
 * {@link DestinationMachine} and {@link DestinationWorks}.
 */
final class DestinationAttempt {
    final MigrationOptions options;
    final DestinationWatch watch = new DestinationWatch();
    Parameters parameters;
    DestinationState state = new Idle();
    /** RAM blocks that the source has; 0 as long as that is not known. */
    int blocks;
    /** Names the migration; -1 if the source has not named it. */
    int nonce = -1;
    /** Names one that failed before the guest was this side's; -1 if none did. */
    int deadNonce = -1;
    /** The guest is, or has been, this side's. */
    boolean ran;
    /** RESUME_ACK was answered, and nothing has come since: its source may still wait for it. */
    boolean unheard;
    /** Its source can never run it again by itself. */
    boolean confirmed;

    List<Integer> packagedPings = List.of();

    @Nullable
    String error;

    DestinationAttempt(MigrationOptions options, Parameters parameters) {
        this.options = options;
        this.parameters = parameters;
    }

    MigrationStatus status() {
        return state.status();
    }

    void complete(boolean channel, Consumer<DestinationEffect> out) {
        watch.expectNothing();
        if (channel) {
            out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Shut(Wire.SHUT_OK)));
            out.accept(new DestinationEffect.CloseChannels());
        }
        become(new Completed(false, new BitSet()), "everything is here", out);
    }

    /** An operator or a deadline ends the attempt, while its channel may be well: one that the source's life hangs on is held. */
    void giveUp(String reason, Consumer<DestinationEffect> out) {
        if (parameters.peerMayBe72() && state instanceof Recover(BitSet asked)) {
            hold(new Held(asked, false), reason, out);
        } else if (parameters.peerMayBe72() && state instanceof PostcopyActive && unheard) {
            hold(new Held(new BitSet(), true), reason, out);
        } else if (!(state instanceof Held)) {
            lost(reason, out);
        }
    }

    private void hold(Held held, String reason, Consumer<DestinationEffect> out) {
        error = reason;
        watch.expectNothing();
        become(held, reason + "; the channel is held", out);
    }

    /** What was held is used again. */
    void revive(long now, Consumer<DestinationEffect> out) {
        if (state instanceof Held(BitSet asked, boolean resumed)) {
            String why = "the channel that was held has come back to life";
            watch.opened(now);
            if (resumed) {
                become(new PostcopyActive(false), why, out);
            } else {
                watch.expect(Deadline.Kind.HANDSHAKE, now);
                become(new Recover(asked), why, out);
            }
        }
    }

    void lost(String reason, Consumer<DestinationEffect> out) {
        switch (state) {
            case Active _ -> fail(reason, out);
            case PostcopyActive _, Recover _, Held _ -> {
                error = reason;
                watch.expectNothing();
                out.accept(new DestinationEffect.DropChannels(reason));
                become(new Paused(Need.NOTHING), reason, out);
            }
            case Loading loading -> {
                if (loading.channel()) {
                    dropAnd(true, reason, out);
                    become(new Loading(loading.postcopy(), loading.returnPath(), false), reason, out);
                }
            }
            case Finishing(boolean channel) -> {
                if (channel) {
                    dropAnd(true, reason, out);
                    become(new Finishing(false), reason, out);
                }
            }
            case Completed completed -> {
                if (completed.answering()) {
                    watch.expectNothing();
                    out.accept(new DestinationEffect.DropChannels(reason));
                    state = new Completed(false, new BitSet());
                }
            }
            case Idle _, Listening _, Mending _, Paused _, Failed _ -> {}
        }
    }

    void fail(String reason, Consumer<DestinationEffect> out) {
        error = reason;
        watch.expectNothing();
        if (nonce >= 0) {
            deadNonce = nonce;
        }
        boolean told = (state instanceof Active active && active.returnPath())
                || (state instanceof Loading loading && loading.returnPath() && loading.channel());
        if (told) {
            out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Shut(Wire.SHUT_FAILED)));
            out.accept(new DestinationEffect.CloseChannels());
        } else {
            // A source that hears nothing takes its last write for success: it must not be able to make it.
            out.accept(new DestinationEffect.DropChannels(reason));
        }
        if (told || state instanceof Active) {
            // Past EOF a source that was not told may be gone: what came is left alone until another migration begins.
            out.accept(new DestinationEffect.ResetMemory());
        }
        become(new Failed(), reason, out);
    }

    void become(DestinationState next, String reason, Consumer<DestinationEffect> out) {
        MigrationStatus from = status();
        state = next;
        if (from != next.status()) {
            out.accept(new DestinationEffect.StatusChanged(from, next.status(), reason));
        }
    }

    void dropAnd(boolean channel, String reason, Consumer<DestinationEffect> out) {
        error = reason;
        if (channel) {
            out.accept(new DestinationEffect.DropChannels(reason));
        }
    }

    void become(DestinationAttempt other) {
        state = other.state;
        watch.become(other.watch);
        blocks = other.blocks;
        nonce = other.nonce;
        deadNonce = other.deadNonce;
        ran = other.ran;
        unheard = other.unheard;
        confirmed = other.confirmed;
        packagedPings = other.packagedPings;
        error = other.error;
    }

    /** What decides its future, with times relative to {@code now}. */
    String fingerprint(long now) {
        return state + " " + watch.relativeTo(now) + " " + blocks + " " + nonce + "/" + deadNonce + ran + confirmed
                + unheard + packagedPings + parameters;
    }
}
