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
import java.util.function.Consumer;

/**
 * The works of a destination's guest: taking its device state over, making sure of everything, going back to what is sure. Each is begun by an effect and ended by the guest's answer,
 * and by nothing else: a channel that is lost meanwhile is lost, and the work goes on.
 */
final class DestinationWorks {
    private final DestinationAttempt attempt;

    DestinationWorks(DestinationAttempt attempt) {
        this.attempt = attempt;
    }

    void load(Loading loading, long now, Consumer<DestinationEffect> out) {
        attempt.watch.expectNothing();
        attempt.watch.signed(now);
        attempt.become(loading, "the guest takes its state over", out);
        out.accept(new DestinationEffect.LoadDevices(loading.postcopy(), attempt.confirmed));
    }

    void finish(long now, Consumer<DestinationEffect> out) {
        attempt.watch.expectNothing();
        attempt.watch.signed(now);
        attempt.become(
                new Finishing(!(attempt.state instanceof Paused)),
                "everything is here, the guest makes sure of it",
                out);
        // Until everything had come the source could only wait. From here on a QEMU takes a missing last word for a
        // failure.
        attempt.confirmed = attempt.nonce >= 0;
        out.accept(new DestinationEffect.Finish(attempt.confirmed));
    }

    private void mend(boolean ended, String reason, Consumer<DestinationEffect> out) {
        attempt.become(new Mending(ended), reason, out);
        out.accept(new DestinationEffect.Mend());
    }

    void done(long now, Consumer<DestinationEffect> out) {
        switch (attempt.state) {
            case Loading loading -> loaded(loading, now, out);
            case Finishing(boolean channel) -> attempt.complete(channel, out);
            case Mending(boolean ended) ->
                attempt.become(new Paused(ended ? Need.FINISHING : Need.NOTHING), "the guest's storage is well", out);
            case Idle _, Listening _, Active _, PostcopyActive _, Paused _, Recover _, Held _, Completed _, Failed _ ->
                throw new IllegalStateException("a work has ended in " + attempt.state);
        }
    }

    private void loaded(Loading loading, long now, Consumer<DestinationEffect> out) {
        attempt.ran = true;
        attempt.watch.opened(now);
        if (!loading.postcopy()) {
            out.accept(new DestinationEffect.StartGuest());
            attempt.complete(loading.channel(), out);
            return;
        }
        out.accept(new DestinationEffect.BeginPostcopy());
        if (loading.channel()) {
            attempt.become(new PostcopyActive(false), "the guest is here, its memory follows", out);
            for (int value : attempt.packagedPings) {
                out.accept(new DestinationEffect.Reply(new ReturnPathMessage.Pong(value)));
            }
        } else {
            attempt.become(new Paused(Need.NOTHING), "the guest is here, the channel is not", out);
        }
        out.accept(new DestinationEffect.StartGuest());
    }

    void failed(String reason, boolean again, Consumer<DestinationEffect> out) {
        switch (attempt.state) {
            case Loading loading -> {
                String what = "the device state cannot be loaded: " + reason;
                if (loading.postcopy() && again) {
                    // A source that has nobody else can come back to it, once the storage is well.
                    attempt.dropAnd(loading.channel(), what, out);
                    attempt.become(new Paused(Need.LOADING), what, out);
                } else {
                    attempt.fail(what, out);
                }
            }
            case Finishing(boolean channel) -> {
                attempt.dropAnd(channel, reason, out);
                mend(true, reason, out);
            }
            case Mending _ -> {
                attempt.error = reason;
                attempt.become(new Paused(Need.MENDING), reason, out);
            }
            case Idle _, Listening _, Active _, PostcopyActive _, Paused _, Recover _, Held _, Completed _, Failed _ ->
                throw new IllegalStateException("a work has failed in " + attempt.state + ": " + reason);
        }
    }

    void storageFailed(String reason, Consumer<DestinationEffect> out) {
        switch (attempt.state) {
            case Active _ -> attempt.fail(reason, out);
            case PostcopyActive _, Recover _, Held _ -> {
                attempt.watch.expectNothing();
                attempt.dropAnd(true, reason, out);
                mend(false, reason, out);
            }
            case Completed _ -> attempt.lost(reason, out);
            case Idle _, Listening _, Loading _, Finishing _, Mending _, Paused _, Failed _ -> {}
        }
    }

    void awaitRecovery(long missing, long now, Consumer<DestinationEffect> out) {
        if (!(attempt.state instanceof Paused(Need need))) {
            return;
        }
        switch (need) {
            case NOTHING -> {}
            case LOADING -> load(new Loading(true, true, false), now, out);
            case MENDING -> mend(false, "the guest's storage is tried again", out);
            case FINISHING -> {
                if (missing == 0) {
                    finish(now, out);
                }
            }
        }
    }
}
