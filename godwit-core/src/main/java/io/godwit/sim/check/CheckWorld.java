// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

/**
 * What is explored.
 *
 * @param name for the report
 * @param postcopy capability postcopy-ram is on, and the operator may switch to postcopy at any moment
 * @param preempt capability postcopy-preempt is on
 * @param paused it begins with a postcopy whose channel was cut: both ends are paused, and the operators have all that follows before them
 * @param failures at most so many failures: cuts, silences, refused connections, work that fails, deadlines that pass too early, operators who pause or cancel
 * @param mostStates more are not kept: the search ends undecided
 */
public record CheckWorld(String name, boolean postcopy, boolean preempt, boolean paused, int failures, int mostStates) {
    private static final int MOST_STATES = 40_000_000;

    public CheckWorld {
        if ((preempt && !postcopy) || (paused && !postcopy) || failures < 0 || failures > 15 || mostStates < 1) {
            throw new IllegalArgumentException("no such world: " + name);
        }
    }

    public static CheckWorld precopy(int failures) {
        return new CheckWorld("precopy", false, false, false, failures, MOST_STATES);
    }

    public static CheckWorld postcopy(int failures) {
        return new CheckWorld("postcopy", true, false, false, failures, MOST_STATES);
    }

    public static CheckWorld preempt(int failures) {
        return new CheckWorld("postcopy with preempt", true, true, false, failures, MOST_STATES);
    }

    /** Paused, and then so many failures more. */
    public static CheckWorld recovery(int failures) {
        return new CheckWorld("recovery", true, false, true, failures, MOST_STATES);
    }

    /** The same with a preempt channel. */
    public static CheckWorld recoveryWithPreempt(int failures) {
        return new CheckWorld("recovery with preempt", true, true, true, failures, MOST_STATES);
    }
}
