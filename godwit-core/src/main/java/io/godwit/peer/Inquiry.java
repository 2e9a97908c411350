// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.net.Address;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Asks a QEMU what became of its guest until the answer will not change by itself any more, or the time is over.
 *
 * @param <V> the verdict
 */
final class Inquiry<V> {

    /** What the two parts of a migration judge differently. */
    interface Judge<V> {
        /**
         * @param steady how long the state has been this one, in ns
         * @return null if it will change by itself
         */
        @Nullable
        V judge(PeerState state, long steady);

        /** The time is over, and it was still moving. */
        V undecided(PeerState state);

        V gone(@Nullable PeerState last, String how);

        V replaced(String sentence);

        V unreachable(@Nullable PeerState last, String sentence);
    }

    private final QemuPeer peer;
    private final Judge<V> judge;
    private @Nullable PeerState last;
    private long lastChange;

    Inquiry(QemuPeer peer, Judge<V> judge) {
        this.peer = peer;
        this.judge = judge;
    }

    V verdict(Duration deadline) throws PeerException {
        long until = System.nanoTime() + deadline.toNanos();
        while (true) {
            CompletableFuture<@Nullable Void> news = peer.log().news();
            boolean over = System.nanoTime() - until >= 0;
            V verdict = ask(over);
            if (verdict != null) {
                return verdict;
            }
            peer.pause(news, until);
        }
    }

    private @Nullable V ask(boolean over) {
        try {
            PeerState state = peer.state();
            long now = System.nanoTime();
            if (!state.equals(last)) {
                last = state;
                lastChange = now;
            }
            V verdict = judge.judge(state, now - lastChange);
            return verdict != null || !over ? verdict : judge.undecided(state);
        } catch (PeerException e) {
            return switch (e.kind()) {
                case NOT_UNDERSTOOD -> judge.replaced(String.valueOf(e.getMessage()));
                case NOBODY -> nobody(e, over);
                case REFUSED, NO_ANSWER, LOST, UNREACHABLE ->
                    over ? judge.unreachable(last, String.valueOf(e.getMessage())) : null;
            };
        }
    }

    /**
     * Nobody has the socket. That proves the end of the process if it said goodbye, or if the socket is one of this machine, which lives and dies with the process that
     * has it. A TCP port may be refused by many who stand between.
     */
    private @Nullable V nobody(PeerException e, boolean over) {
        String goodbye = peer.history().goodbye();
        if (goodbye != null) {
            return judge.gone(last, peer.name() + " has ended (" + goodbye + ")");
        }
        if (peer.address() instanceof Address.Unix) {
            return judge.gone(last, peer.name() + " has ended: nobody has its socket any more");
        }
        return over
                ? judge.unreachable(last, e.getMessage() + "; it seems to have ended, but a refused port is no proof")
                : null;
    }
}
