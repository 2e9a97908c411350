// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import org.jspecify.annotations.Nullable;

/** One line of the timeline. */
public sealed interface Happening {
    /** A part of the scenario begins. */
    record Step(String title) implements Happening {}

    /** A QMP command was sent; to both ends if {@code side} is null. */
    record Order(@Nullable Side side, String command) implements Happening {}

    /** An end reports a migration status; {@code reason} may be empty. */
    record Status(Side side, String status, String reason) implements Happening {}

    /** The guest started or stopped at an end. */
    record GuestRuns(Side side, boolean runs) implements Happening {}

    /** An end tells its operator something. */
    record Notice(Side side, String text) implements Happening {}

    /** Something was done to the network. */
    record Network(String where, String what) implements Happening {}

    /** What came of it. */
    record Outcome(String text) implements Happening {}

    /** @param nanos since the run began */
    record Entry(long nanos, Happening happening) {
        public double seconds() {
            return nanos / 1e9;
        }
    }
}
