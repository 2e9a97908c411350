// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import org.jspecify.annotations.Nullable;

/**
 * What became of a guest at the QEMU it comes from.
 *
 * @param last the last state that it told, or null if it told none
 * @param sentence for people
 */
public record SourceVerdict(Fate fate, @Nullable PeerState last, String sentence) {

    public enum Fate {
        /** The migration is completed there: the guest has left. Only an operator's {@code cont} could start what is left of it, and a disk's lock may prevent that. */
        LEFT,
        /** The migration is over without success, or there was none, and the guest runs on there: what arrived elsewhere must not run. */
        RUNS_HERE,
        /** The same, but the guest is stopped, by an operator or because it could not be started again (11.1, if somebody else has its disk). */
        STOPPED_HERE,
        /** postcopy-paused: it keeps what it has and can be recovered. */
        AWAITS_RECOVERY,
        /** It was still under way when the time was over. */
        UNDECIDED,
        /** The process has ended. It cannot run the guest any more. */
        GONE,
        /** Another process answers, one that knows nothing of this migration. */
        REPLACED,
        /** Nobody answers, and nothing proves that nobody is there. */
        UNREACHABLE
    }

    /** Whether it is proven that this end will not run the guest by itself. */
    public boolean provesThatItLeft() {
        return switch (fate) {
            case LEFT, GONE -> true;
            case RUNS_HERE, STOPPED_HERE, AWAITS_RECOVERY, UNDECIDED, REPLACED, UNREACHABLE -> false;
        };
    }
}
