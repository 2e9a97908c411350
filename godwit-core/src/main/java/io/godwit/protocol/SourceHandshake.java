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

/**
 * The source's part of a recovery's handshake ({@code spec/sequences.md §6.2}): connect, ask for the received bitmaps, resume, be acknowledged. Whatever goes
 * wrong in it ends in {@link SourceAttempt#lost}, and no step of it waits without a deadline.
 */
final class SourceHandshake {
    private final SourceAttempt attempt;

    SourceHandshake(SourceAttempt attempt) {
        this.attempt = attempt;
    }

    void resume(long now, Consumer<SourceEffect> out) {
        Lost origin = switch (attempt.state) {
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
                    Held _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> throw new IllegalStateException("resume in " + attempt.state);
        };
        attempt.begin();
        attempt.deadline.expect(Deadline.Kind.HANDSHAKE, now);
        attempt.become(new RecoverSetup(origin), "migrate with resume", out);
        out.accept(new SourceEffect.Connect(Channel.MAIN));
    }

    /** The main channel of a recovery is connected: asks for what the destination has. */
    void connected(Lost origin, long now, Consumer<SourceEffect> out) {
        BitSet missing = new BitSet();
        missing.set(0, attempt.options.blocks());
        attempt.deadline.expect(Deadline.Kind.HANDSHAKE, now);
        attempt.become(new Recover(origin, missing, false), "connected, asking for the received bitmaps", out);
        out.accept(new SourceEffect.SendBitmapRequests());
        if (attempt.parameters.pingIntervalMillis() != 0) {
            // It says which migration this is: another one's destination refuses before anything is believed or placed.
            out.accept(new SourceEffect.SendKeepAlive());
        }
        if (attempt.parameters.peerMayBe72()) {
            // 7.2 begins with the handshake only when both channels are there (spec/sequences.md §7).
            attempt.connectPreempt(out);
        }
    }

    void preemptConnected(Consumer<SourceEffect> out) {
        if (attempt.state instanceof Recover recover) {
            resumeIfReady(recover, out);
        }
    }

    /**
     * The preempt channel is gone. Where the peer would not survive the end of main, the handshake is brought to its end without it, and the attempt ends then.
     *
     * @return whether that is so
     */
    boolean outlives(String reason, Consumer<SourceEffect> out) {
        if (!attempt.parameters.peerMayBe72()) {
            return false;
        }
        if (attempt.state instanceof Recover recover) {
            attempt.preemptLost = "preempt channel: " + reason;
            attempt.preemptReady = true;
            resumeIfReady(recover, out);
            return true;
        }
        if (attempt.state instanceof Held) {
            attempt.preemptLost = "preempt channel: " + reason;
            attempt.preemptReady = true;
            return true;
        }
        return false;
    }

    void neverRan(Lost origin, int status, String said, Consumer<SourceEffect> out) {
        if (status != Wire.neverRan(attempt.options.nonce())) {
            attempt.lost(said + " inside the recovery", out);
        } else if (origin == Lost.POSTCOPY) {
            attempt.lost("that endpoint says it never had the guest, but the destination had it: wrong address?", out);
        } else {
            attempt.error = "the destination says it never got the guest";
            attempt.drop(attempt.error, out);
            attempt.become(
                    new Uncertain(origin, true),
                    "the destination says it never got the guest whole and cannot run it; x-godwit-migrate-resolve owner=source lets it run here again",
                    out);
        }
    }

    void bitmap(int block, Consumer<SourceEffect> out) {
        if (!(attempt.state instanceof Recover recover) || recover.resumeSent()) {
            attempt.lost(
                    "the destination sent a received bitmap in " + attempt.status() + ", where none was asked for",
                    out);
        } else if (!recover.missing().get(block)) {
            attempt.lost("the destination sent the received bitmap of block " + block + " twice", out);
        } else {
            BitSet missing = (BitSet) recover.missing().clone();
            missing.clear(block);
            Recover next = new Recover(recover.origin(), missing, false);
            attempt.become(next, "received bitmap of block " + block, out);
            resumeIfReady(next, out);
        }
    }

    private void resumeIfReady(Recover recover, Consumer<SourceEffect> out) {
        if (!recover.missing().isEmpty() || recover.resumeSent()) {
            return;
        }
        // Not before the bitmaps: a QEMU whose main channel broke in the meantime is paused again, still listening, and
        // takes a preempt channel that comes then for a recovery of its own (docs/compatibility.md).
        attempt.connectPreempt(out);
        if (attempt.preemptReady) {
            attempt.become(
                    new Recover(recover.origin(), recover.missing(), true),
                    "all received bitmaps are here, resuming",
                    out);
            out.accept(new SourceEffect.SendResume());
        }
    }

    void resumeAck(int value, long now, Consumer<SourceEffect> out) {
        if (attempt.state instanceof Recover recover && recover.resumeSent() && value == 1) {
            attempt.deadline.none();
            attempt.liveness.start(now);
            attempt.become(new PostcopyActive(true, false), "the destination goes on", out);
            if (attempt.preemptLost != null) {
                attempt.lost(attempt.preemptLost, out);
            }
        } else {
            attempt.lost(
                    "the destination sent RESUME_ACK " + value + " in " + attempt.status()
                            + ", where it was not expected",
                    out);
        }
    }
}
