// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Whole migrations, both ends, in one thread under a simulated clock and network: the real machines, the real page path, the real bytes. Everything that happens
 * follows from the seed.
 *
 * <p>Each run has two phases. In the first, anything may go wrong: connections are refused, cut at any byte, silenced, stalled; strangers connect; both operators do
 * anything at any moment. Then the network heals and one sensible operator goes on until nothing is left to be done. After every event the rules of DESIGN are looked at; at
 * the end the guest is in one place, whole, and runs if it ran before.
 */
public final class Simulation {
    private static final long SLICE_NANOS = 50_000_000;
    /** What is over is seen off within this time. */
    private static final long SETTLE_NANOS = 3_000_000_000L;

    private static final int STACK_LINES = 20;

    private Simulation() {}

    /** One run. Never throws for what the code under test does: that is in the outcome. */
    public static Outcome run(long seed, SimOptions options) {
        return run(seed, options, Seams.NONE);
    }

    /** What the run's world begins with. */
    static Setup setup(long seed, SimOptions options) {
        return Setup.random(new SplittableRandom(seed).split(), options);
    }

    static Outcome run(long seed, SimOptions options, Seams seams) {
        SplittableRandom random = new SplittableRandom(seed);
        Setup setup = Setup.random(random.split(), options);
        World world = new World(setup, random.split(), seams, options.trace());
        world.trace().event("world", setup::toString);
        RandomPlanner planner = new RandomPlanner(random.split(), options.faultPercent(), setup);
        world.planner(planner);
        Chaos chaos = new Chaos(world, random.split(), options);
        Rescue rescue = new Rescue(world, random.split());
        Outcome.End end = null;
        String violation = null;
        try {
            end = run(world, chaos, rescue, planner, options);
        } catch (Violation e) {
            violation = e.getMessage();
        } catch (RuntimeException | StackOverflowError e) {
            // A defect is an outcome like any other: the seed replays it.
            violation = text(e);
        }
        if (violation != null) {
            world.trace().event("world", "VIOLATION: " + violation);
        }
        return new Outcome(
                seed,
                end,
                violation,
                rescue.resolved(),
                world.recoveries(),
                world.faults().counts(),
                world.lives().restarts(),
                world.source().attempts(),
                world.queue().done(),
                world.queue().now(),
                world.sourceSeen(),
                world.destinationSeen());
    }

    private static Outcome.@Nullable End run(
            World world, Chaos chaos, Rescue rescue, RandomPlanner planner, SimOptions options) {
        chaos.plan();
        advance(world, chaos.length(), options, "while the network was bad");
        world.trace().event("world", "the network heals");
        planner.heal();
        world.network().heal();
        world.disk().heal();
        world.mishaps().heal();
        rescue.begin();
        long last = world.queue().now() + options.mostSeconds() * 1_000_000_000L;
        while (!rescue.over()) {
            if (world.queue().now() >= last) {
                throw new Violation("nothing has ended it " + options.mostSeconds()
                        + " virtual seconds after the network had healed: the source is in "
                        + world.source().state() + ", the destination in "
                        + world.destination().state());
            }
            advance(world, SLICE_NANOS, options, "after the network had healed");
        }
        return world.settle(SETTLE_NANOS, options.mostEvents());
    }

    private static void advance(World world, long nanos, SimOptions options, String when) {
        if (!world.runUntil(world.queue().now() + nanos, options.mostEvents())
                || world.queue().done() > options.mostEvents()) {
            throw new Violation("more than " + options.mostEvents() + " events " + when + ": the source is in "
                    + world.source().state() + ", the destination in "
                    + world.destination().state());
        }
    }

    private static String text(Throwable e) {
        StringBuilder text = new StringBuilder(e.toString());
        StackTraceElement[] stack = e.getStackTrace();
        for (int i = 0; i < Math.min(stack.length, STACK_LINES); i++) {
            text.append("\n    at ").append(stack[i]);
        }
        return text.toString();
    }
}
