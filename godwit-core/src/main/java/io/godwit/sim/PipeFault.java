// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/** What becomes of one direction of one connection, once so many bytes have passed. */
sealed interface PipeFault {
    PipeFault NONE = new None();

    /** Nothing. */
    record None() implements PipeFault {}

    /**
     * The connection is cut, both ways.
     *
     * @param reset what is under way is lost; else what was sent before still arrives
     */
    record Cut(long after, boolean reset) implements PipeFault {}

    /**
     * Nothing arrives any more and nobody is told.
     *
     * @param swallow somebody takes the bytes, so that the writer never notices; else they pile up until the pipe is full
     */
    record Silence(long after, boolean swallow) implements PipeFault {}

    /** What follows arrives only when the time is over. */
    record Stall(long after, long nanos) implements PipeFault {}
}
