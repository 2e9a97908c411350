// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import org.jspecify.annotations.Nullable;

/**
 * What became of a guest at the QEMU it goes to.
 *
 * @param last the last state that it told, or null if it told none
 * @param mayHaveRun whether the guest may have run there for a while: only then is what the source has possibly out of date
 * @param sentence for people
 */
public record DestinationVerdict(Fate fate, @Nullable PeerState last, boolean mayHaveRun, String sentence) {

    public enum Fate {
        /** It waits for a stream, and nothing had arrived when the time was over: what is still on its way may. */
        WAITS,
        /** It could not load the stream and never will: it needs a new process. */
        FAILED,
        /** The whole guest is there and runs. */
        RUNS_HERE,
        /** The whole guest is there and is stopped. */
        STOPPED_HERE,
        /** The whole guest was there and has moved on, or moves on right now. */
        MOVED_ON,
        /** postcopy-paused: the guest is there, some of its memory is not. */
        AWAITS_RECOVERY,
        /** It gave the migration up after the guest may have run there, and nothing makes it go on: what is missing of the memory never comes. */
        GAVE_UP,
        /** It was still under way when the time was over. */
        UNDECIDED,
        /** The process has ended. */
        GONE,
        /** Another process answers, one that knows nothing of this migration. */
        REPLACED,
        /** Nobody answers, and nothing proves that nobody is there. */
        UNREACHABLE
    }

    /** Whether it is proven that the guest never ran there and never will: the source may go on. */
    public boolean provesThatItNeverCame() {
        return switch (fate) {
            case FAILED -> true;
            case GONE -> !mayHaveRun;
            case WAITS, RUNS_HERE, STOPPED_HERE, MOVED_ON, AWAITS_RECOVERY, GAVE_UP, UNDECIDED, REPLACED, UNREACHABLE ->
                false;
        };
    }

    /** Whether it is proven that the guest is there as a whole, or was: the source may forget it. */
    public boolean provesThatItArrived() {
        return switch (fate) {
            case RUNS_HERE, STOPPED_HERE, MOVED_ON -> true;
            case WAITS, FAILED, AWAITS_RECOVERY, GAVE_UP, UNDECIDED, GONE, REPLACED, UNREACHABLE -> false;
        };
    }
}
