// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** A simulated migration told step by step: what an operator says, how the next connections go, what both ends are waited to become. */
final class Story {
    static final long MILLIS = 1_000_000;
    static final Parameters QUICK = new Parameters(0, 0, 300, 1_000_000_000, 400, 400, 50);
    private static final long MOST_EVENTS = 300_000;

    final World world;
    private final Deque<LinkPlan> mains = new ArrayDeque<>();
    private final Deque<LinkPlan> preempts = new ArrayDeque<>();
    private final Deque<LinkPlan> pageChannels = new ArrayDeque<>();
    private final List<String> lines = new ArrayList<>();

    private Story(Setup setup, Seams seams, long seed) {
        world = new World(setup, new SplittableRandom(seed), seams, line -> {
            lines.add(line);
            if (lines.size() > 20_000) {
                lines.subList(0, 10_000).clear();
            }
        });
        world.planner((channel, recovery) -> {
            Deque<LinkPlan> plans = switch (channel) {
                case MAIN -> mains;
                case PREEMPT -> preempts;
                case MULTIFD -> pageChannels;
            };
            LinkPlan next = plans.poll();
            return next == null ? LinkPlan.GOOD : next;
        });
        world.destination().operator(new DestinationInput.Incoming());
    }

    static Story precopy() {
        return of(options(true, false, false), QUICK);
    }

    static Story postcopy() {
        return of(options(true, true, false), QUICK);
    }

    static Story preempt() {
        return of(options(true, true, true), QUICK);
    }

    static Story of(MigrationOptions options, Parameters parameters) {
        return new Story(setup(options, parameters, 0), Seams.NONE, 7);
    }

    static Story of(Setup setup) {
        return new Story(setup, Seams.NONE, 7);
    }

    static Story of(Setup setup, Seams seams) {
        return new Story(setup, seams, 7);
    }

    static MigrationOptions options(boolean returnPath, boolean postcopy, boolean preempt) {
        return new MigrationOptions(returnPath, postcopy, preempt, false, false, 2, 0);
    }

    static Setup setup(MigrationOptions options, Parameters parameters, int failingLoads) {
        return new Setup(
                Setup.blocks(6, 10),
                options,
                options,
                parameters,
                parameters,
                true,
                2,
                20_000,
                failingLoads,
                SimStorage.Quality.NONE,
                false,
                true,
                Keeping.NONE);
    }

    /** How the next main channel goes; more calls, more channels. */
    Story nextMain(LinkPlan plan) {
        mains.add(plan);
        return this;
    }

    Story nextPreempt(LinkPlan plan) {
        preempts.add(plan);
        return this;
    }

    /** How the next multifd channel goes. */
    Story nextPageChannel(LinkPlan plan) {
        pageChannels.add(plan);
        return this;
    }

    Story source(SourceInput said) {
        assertThat(world.source().operator(said))
                .as("the source about %s", said)
                .isNull();
        return this;
    }

    Story sourceRefuses(SourceInput said, String why) {
        assertThat(world.source().operator(said))
                .as("the source about %s", said)
                .contains(why);
        return this;
    }

    Story destination(DestinationInput said) {
        assertThat(world.destination().operator(said))
                .as("the destination about %s", said)
                .isNull();
        return this;
    }

    Story destinationRefuses(DestinationInput said, String why) {
        assertThat(world.destination().operator(said))
                .as("the destination about %s", said)
                .contains(why);
        return this;
    }

    MigrationStatus sourceStatus() {
        return world.source().state().status();
    }

    MigrationStatus destinationStatus() {
        return world.destination().state().status();
    }

    /** Waits for both ends to be where they are said to be. */
    Story until(MigrationStatus source, MigrationStatus destination) {
        return until(
                "source " + source + ", destination " + destination,
                () -> sourceStatus() == source && destinationStatus() == destination);
    }

    Story until(String what, BooleanSupplier condition) {
        long last = world.queue().now() + 30_000 * MILLIS;
        long events = world.queue().done() + MOST_EVENTS;
        while (!condition.getAsBoolean()) {
            if (world.queue().now() > last || world.queue().done() > events) {
                throw new AssertionError("waited in vain for: " + what + "; the source is in "
                        + world.source().state() + ", the destination in "
                        + world.destination().state() + told());
            }
            step();
        }
        return this;
    }

    /** Lets time pass. */
    Story pass(long millis) {
        long until = world.queue().now() + millis * MILLIS;
        while (world.queue().next() <= until) {
            step();
        }
        return this;
    }

    private void step() {
        try {
            if (!world.queue().step()) {
                throw new AssertionError("nothing happens any more" + told());
            }
        } catch (Violation e) {
            throw new AssertionError(e.getMessage() + told(), e);
        }
    }

    /** The migration is begun, over a narrow path, and the guest is at the destination, most of its memory not yet. */
    Story inPostcopy() {
        mains.addFirst(LinkPlan.GOOD.withRoom(1_500));
        source(new SourceInput.Migrate());
        until("precopy", () -> sourceStatus() == MigrationStatus.ACTIVE);
        source(new SourceInput.StartPostcopy());
        return until(
                "the source knows that the destination has the guest",
                () -> world.source().state() instanceof SourceState.PostcopyActive(boolean proven, boolean _)
                        && proven);
    }

    /** As {@link #inPostcopy}, and then the channels are cut. */
    Story paused() {
        inPostcopy();
        world.network().cutAll(true);
        until(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.POSTCOPY_PAUSED);
        assertThat(missing()).as("pages that the destination lacks").isPositive();
        return this;
    }

    /** All is good from here on, and all ends well. */
    Story recoversAndCompletes() {
        source(new SourceInput.Resume());
        return completes();
    }

    Story completes() {
        until(MigrationStatus.COMPLETED, MigrationStatus.COMPLETED);
        return endsWith(Outcome.End.MOVED);
    }

    /** The guest is where it should be, whole and running. */
    Story endsWith(Outcome.End end) {
        try {
            assertThat(world.settle(3_000 * MILLIS, MOST_EVENTS)).as(told()).isEqualTo(end);
        } catch (Violation e) {
            throw new AssertionError(e.getMessage() + told(), e);
        }
        return this;
    }

    long missing() {
        return world.destination().session().missing();
    }

    /** The last lines of the dialogue. */
    String told() {
        return "\n" + String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    }

    /** Whether a line of the dialogue has these words in it. */
    boolean told(String words) {
        return lines.stream().anyMatch(line -> line.contains(words));
    }
}
