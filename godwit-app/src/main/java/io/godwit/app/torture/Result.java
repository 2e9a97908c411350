// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one round.
 *
 * @param what a sentence
 * @param hits the blows that were struck, in order
 * @param recoveryMillis of each recovery that succeeded, from {@code migrate resume} to postcopy-active (or completed) at both ends
 * @param restartMillis from each {@code kill -9} of {@code park} or {@code unpark} to both ends going on: it is found, the same command given, the peer asked, a recovery made
 * @param failedRecoveries that ended in postcopy-paused again
 * @param logs what the processes said, if the round failed
 */
record Result(
        Plan plan,
        Verdict verdict,
        String what,
        List<Hit> hits,
        List<Double> recoveryMillis,
        List<Double> restartMillis,
        int failedRecoveries,
        double seconds,
        @Nullable List<String> logs) {
    /** In words for people and scripts. */
    enum Verdict {
        /** The migration was completed, the memory is right, one guest runs. */
        COMPLETED,
        /** The source was killed in precopy: its guest is gone with it, and nobody else ran it. */
        GONE,
        /**
         * A QEMU gave its guest up for a recovery that ended before its fourth byte, as those from 10.1 on do ({@code docs/compatibility.md}); the folder had it as it was when it left,
         * and from there it was brought again: completed, the memory is right.
         */
        TAKEN_BACK,
        /** Memory is lost or damaged, or the guest runs nowhere or twice. */
        LOST,
        /** The round's time was over and the migration neither here nor there. */
        STUCK,
        /** Something else that must not be: a process ended, or did not obey. */
        BROKEN;

        boolean good() {
            return switch (this) {
                case COMPLETED, GONE, TAKEN_BACK -> true;
                case LOST, STUCK, BROKEN -> false;
            };
        }
    }

    /**
     * A blow that was struck.
     *
     * @param state the source's, as its QMP had reported it
     * @param firstMillis from the blow to postcopy-paused at the first end; -1 if nothing was paused or it was paused already
     * @param bothMillis the same of both ends
     */
    record Hit(String kind, String state, double firstMillis, double bothMillis) {}

    Result {
        hits = List.copyOf(hits);
        recoveryMillis = List.copyOf(recoveryMillis);
        restartMillis = List.copyOf(restartMillis);
        logs = logs == null ? null : List.copyOf(logs);
    }
}
