// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.net.Fault.Direction;
import java.util.concurrent.atomic.LongAdder;

/** One direction of a whole relay: its faults, and what has passed. Used on the relay's thread; counters by anyone. */
final class Lane {
    private static final long SECOND = 1_000_000_000L;

    /** A rate is kept over a hundredth of a second: small enough to look smooth, long enough for whole packets. */
    private static final long BURST_NANOS = SECOND / 100;

    final Direction direction;
    final LongAdder passed = new LongAdder();
    final LongAdder swallowed = new LongAdder();
    boolean swallows;
    boolean stalls;
    long delayNanos;

    /** Bytes that may still pass before the cut; {@link Long#MAX_VALUE}: no cut is set. */
    private long untilCut = Long.MAX_VALUE;

    /** Nothing at all may pass before the cut. */
    private boolean cutsAtFirst;

    /** Bytes per second; 0: no limit. */
    private long rate;

    /** When the bytes that passed so far are paid for. */
    private long paidAt;

    Lane(Direction direction) {
        this.direction = direction;
    }

    /** Takes over this direction's part of a plan; a cut counts from now. */
    void set(FaultPlan plan, long now) {
        swallows = plan.has(Fault.Blackhole.class);
        stalls = false;
        delayNanos = 0;
        rate = 0;
        untilCut = Long.MAX_VALUE;
        for (Fault fault : plan.faults()) {
            switch (fault) {
                case Fault.Swallow f when f.direction() == direction -> swallows = true;
                case Fault.Stall f when f.direction() == direction -> stalls = true;
                case Fault.Delay f when f.direction() == direction -> delayNanos = f.millis() * 1_000_000L;
                case Fault.Rate f when f.direction() == direction -> rate = f.bytesPerSecond();
                case Fault.CutAfter f
                when f.direction() == direction -> {
                    untilCut = f.bytes();
                    cutsAtFirst = untilCut == 0;
                }
                case Fault.Swallow _, Fault.Stall _, Fault.Delay _, Fault.Rate _, Fault.CutAfter _ -> {}
                case Fault.Refuse _, Fault.Reset _, Fault.Blackhole _ -> {}
            }
        }
        paidAt = now;
    }

    /** How many bytes may pass now, for the rate's and the cut's sake; 0: wait for {@link #nextAllowance}, or cut. */
    int allowance(int wanted, long now) {
        long may = Math.min(wanted, untilCut);
        if (rate > 0) {
            // A piece may pass as soon as those before are paid for, and is paid for afterwards: so any rate passes
            // something, and a wake-up that comes late (the system's grain is a millisecond) costs no bandwidth.
            may = now < paidAt ? 0 : Math.min(may, Math.max(1, (long) ((double) BURST_NANOS * rate / SECOND)));
        }
        return (int) may;
    }

    /** Nanoseconds until the rate lets something pass; 0: it does now. */
    long nextAllowance(long now) {
        return rate == 0 ? 0 : Math.max(0, paidAt - now);
    }

    /** So many passed. */
    void pass(int bytes, long now) {
        passed.add(bytes);
        if (untilCut != Long.MAX_VALUE) {
            untilCut -= bytes;
        }
        if (rate > 0) {
            paidAt = Math.max(paidAt, now - BURST_NANOS) + (long) ((double) bytes * SECOND / rate);
        }
    }

    /** @param pending whether a byte wants to pass */
    boolean cutIsDue(boolean pending) {
        return untilCut == 0 && (pending || !cutsAtFirst);
    }

    void cutIsDone() {
        untilCut = Long.MAX_VALUE;
    }
}
