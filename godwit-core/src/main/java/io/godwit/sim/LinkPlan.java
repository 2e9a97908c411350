// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/**
 * How a connection goes; times in nanoseconds, sizes in bytes.
 *
 * @param refused nobody listens there, so it is told
 * @param connectAfter when the one who connects hears of it
 * @param acceptAfter when the one who listens hears of it, counted from the start; -1 for never (a proxy that is half dead)
 * @param room bytes that may be under way in each direction, those included that wait for the reader
 * @param latency from a write until it can be read
 * @param jitter at most so much more
 * @param forward the way from the one who connects
 * @param backward the way to it
 */
record LinkPlan(
        boolean refused,
        long connectAfter,
        long acceptAfter,
        int room,
        long latency,
        long jitter,
        PipeFault forward,
        PipeFault backward) {

    /** A good connection of a fast network. */
    static final LinkPlan GOOD =
            new LinkPlan(false, 50_000, 60_000, 64 * 1024, 30_000, 0, PipeFault.NONE, PipeFault.NONE);

    LinkPlan withForward(PipeFault fault) {
        return new LinkPlan(refused, connectAfter, acceptAfter, room, latency, jitter, fault, backward);
    }

    LinkPlan withBackward(PipeFault fault) {
        return new LinkPlan(refused, connectAfter, acceptAfter, room, latency, jitter, forward, fault);
    }

    LinkPlan withRoom(int bytes) {
        return new LinkPlan(refused, connectAfter, acceptAfter, bytes, latency, jitter, forward, backward);
    }

    LinkPlan withAcceptAfter(long nanos) {
        return new LinkPlan(refused, connectAfter, nanos, room, latency, jitter, forward, backward);
    }

    /** Nobody listens. */
    static LinkPlan refusal() {
        return new LinkPlan(true, 50_000, -1, 1, 1, 0, PipeFault.NONE, PipeFault.NONE);
    }
}
