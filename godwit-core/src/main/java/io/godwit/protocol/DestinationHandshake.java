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
import java.util.function.Consumer;

/**
 * The destination's part of a recovery's handshake ({@code spec/sequences.md §6.2}), the counterpart of {@link SourceHandshake}: a source comes back, asks for the received bitmaps and resumes.
 * One that missed the end goes the same way and hears that nothing is missing.
 */
final class DestinationHandshake {
    private final DestinationAttempt attempt;

    DestinationHandshake(DestinationAttempt attempt) {
        this.attempt = attempt;
    }

    /** Whether a recovery connection can be taken up now. */
    boolean possible() {
        return attempt.state instanceof Recover
                || attempt.state instanceof Held
                || attempt.state instanceof Completed
                || (attempt.state instanceof Paused(Need need) && (need == Need.NOTHING || need == Need.FINISHING));
    }

    /** A source has come back over a new connection. */
    void opened(long now, Consumer<DestinationEffect> out) {
        attempt.watch.opened(now);
        switch (attempt.state) {
            case Paused _ -> {
                attempt.watch.expect(Deadline.Kind.HANDSHAKE, now);
                attempt.become(new Recover(new BitSet()), "a source has come back", out);
            }
            case Recover _, Held _ -> {
                out.accept(new DestinationEffect.DropChannels("superseded by a newer recovery connection"));
                out.accept(new DestinationEffect.Notice("an unfinished recovery was superseded by a newer connection"));
                attempt.watch.expect(Deadline.Kind.HANDSHAKE, now);
                attempt.become(new Recover(new BitSet()), "a source has come back once more", out);
            }
            case Completed completed -> {
                if (completed.answering()) {
                    out.accept(new DestinationEffect.DropChannels("superseded by a newer recovery connection"));
                }
                attempt.watch.expect(Deadline.Kind.HANDSHAKE, now);
                out.accept(new DestinationEffect.Notice(
                        "a source that missed the end has come back: it is told that nothing is missing"));
                attempt.become(new Completed(true, new BitSet()), "", out);
            }
            case Idle _, Listening _, Active _, Loading _, PostcopyActive _, Finishing _, Mending _, Failed _ ->
                throw new IllegalStateException("recovery opened in " + attempt.state);
        }
    }

    /** Once for every block. */
    void bitmapAsked(int block, long now, Consumer<DestinationEffect> out) {
        attempt.revive(now, out);
        BitSet asked = attempt.state.askedNow();
        if (asked == null || asked.get(block)) {
            attempt.lost(
                    "RECV_BITMAP for block " + block
                            + (asked == null ? " in " + attempt.status() : ", which was asked for before"),
                    out);
            return;
        }
        BitSet more = (BitSet) asked.clone();
        more.set(block);
        attempt.state = attempt.state instanceof Recover ? new Recover(more) : new Completed(true, more);
        out.accept(new DestinationEffect.SendBitmap(block));
    }

    /** It knows what is missing and goes on. */
    void resume(Consumer<DestinationEffect> out) {
        out.accept(new DestinationEffect.Reply(new ReturnPathMessage.ResumeAck(1)));
        if (attempt.state instanceof Recover) {
            attempt.watch.expectNothing();
            attempt.unheard = true;
            attempt.become(new PostcopyActive(false), "recovered", out);
            out.accept(new DestinationEffect.ReissueRequests());
        }
    }

    /** A source with the wrong address. Its pages would be taken for this guest's, and "nothing is missing" for an answer about its own. */
    void foreign(Consumer<DestinationEffect> out) {
        String reason = "the source that has come back belongs to another migration: it has the wrong address";
        out.accept(new DestinationEffect.Notice(reason));
        attempt.lost(reason, out);
    }
}
