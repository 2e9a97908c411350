// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.SourceState.Active;
import io.godwit.protocol.SourceState.Flushing;
import io.godwit.protocol.SourceState.PreSwitchover;
import io.godwit.protocol.SourceState.Stopping;
import java.util.function.Consumer;

/**
 * When a source stops its guest, and the way from there to the commit point: what the operator wants, how much is left, and what the destination must have said before. Used by
 * {@link SourceMachine}.
 */
final class SourceSwitchover {
    private final SourceAttempt attempt;
    private boolean postcopyWanted;
    /** No page goes before the switch. */
    private boolean atOnce;

    private boolean ponged;
    private boolean named;
    private boolean acknowledged;

    SourceSwitchover(SourceAttempt attempt) {
        this.attempt = attempt;
    }

    /** A new migration; {@code wanted}: it is to be switched at once. */
    void begin(boolean wanted) {
        atOnce = wanted;
        postcopyWanted = wanted;
        ponged = false;
        named = false;
        acknowledged = false;
    }

    void startPostcopy() {
        postcopyWanted = true;
    }

    /** The destination has answered a PING. */
    void ponged(int value) {
        // An answer to a keep-alive, where those are sent: then the destination knows which migration this is, and can
        // say of it later that it never got the guest.
        ponged = true;
        named = named || Wire.isKeepAlive(value);
    }

    void acknowledged() {
        acknowledged = true;
    }

    /** Whether the destination has answered, to a PING that names the migration where such are sent. */
    private boolean answered() {
        return named || (ponged && attempt.parameters.pingIntervalMillis() == 0);
    }

    /** Whether the operator's switch to postcopy can be made at once. */
    boolean wanted() {
        return attempt.state instanceof Active && postcopyWanted && answered() && attempt.channelsReady();
    }

    /** Whether no page is to be sent before the switch to postcopy. */
    boolean pagesWait() {
        return atOnce && attempt.state.revocable();
    }

    /** How long what is left would take: it may be little enough, or the operator may wish to switch. */
    void estimate(long remaining, double speed, Consumer<SourceEffect> out) {
        if (!(attempt.state instanceof Active) || !attempt.channelsReady()) {
            return;
        }
        boolean small = remaining == 0 || remaining <= speed * attempt.parameters.downtimeLimitMillis() / 1000;
        boolean converged = small && (acknowledged || !attempt.options.switchoverAck());
        // A destination that has answered once can answer: without it the switch would be made into the blue.
        if ((postcopyWanted && answered()) || (converged && (answered() || !attempt.options.returnPath()))) {
            attempt.become(new Stopping(), postcopyWanted ? "switching to postcopy" : "converged", out);
            out.accept(new SourceEffect.StopGuest(postcopyWanted));
        }
    }

    void guestStopped(long now, Consumer<SourceEffect> out) {
        if (!(attempt.state instanceof Stopping)) {
            return;
        }
        if (attempt.options.pauseBeforeSwitchover()) {
            attempt.become(new PreSwitchover(), "guest stopped, waiting for migrate-continue", out);
        } else {
            switchOver(now, out);
        }
    }

    void proceed(long now, Consumer<SourceEffect> out) {
        if (attempt.state instanceof PreSwitchover) {
            switchOver(now, out);
        }
    }

    private void switchOver(long now, Consumer<SourceEffect> out) {
        // Nobody runs the guest from here to the commit point: a peer that takes no byte must not keep it so.
        attempt.deadline.expect(Deadline.Kind.LIVENESS, now);
        attempt.become(new Flushing(postcopyWanted, postcopyWanted), "guest stopped", out);
        out.accept(new SourceEffect.FreezeDirty());
        if (postcopyWanted) {
            out.accept(new SourceEffect.SendSwitchToPostcopy());
        }
    }

    void become(SourceSwitchover other) {
        postcopyWanted = other.postcopyWanted;
        atOnce = other.atOnce;
        ponged = other.ponged;
        named = other.named;
        acknowledged = other.acknowledged;
    }

    /** What decides its future. */
    String fingerprint() {
        return "" + postcopyWanted + atOnce + ponged + named + acknowledged;
    }
}
