// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Arrival;
import io.godwit.pump.Departure;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.Outbox;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceHost;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Deliberate bugs, each put between the code and its world. */
final class Mutants {
    /** The bug of the experiment: a RECOVER that nothing and nobody ends, no broken channel, no deadline, no operator. */
    static final Seams DEAF_SOURCE_IN_RECOVER =
            Seams.NONE.withDeafSource((state, input) -> state instanceof SourceState.Recover
                    && (input instanceof SourceInput.Broken
                            || input instanceof SourceInput.Tick
                            || input instanceof SourceInput.Pause));

    /** The same at the destination. */
    static final Seams DEAF_DESTINATION_IN_RECOVER =
            Seams.NONE.withDeafDestination((state, input) -> state instanceof DestinationState.Recover
                    && (input instanceof DestinationInput.Broken || input instanceof DestinationInput.Tick));

    /** What happens most seldom happens about once in 3,000 runs. */
    private static final int MOST_RUNS = 20_000;

    private Mutants() {}

    /** A random run catches it, by the rule that says these words; and without the bug the same run is well. */
    static void caught(Seams mutant, String words, Predicate<Setup> where) {
        Map<String, Integer> others = new TreeMap<>();
        for (long seed = 1; seed <= MOST_RUNS; seed++) {
            if (!where.test(Simulation.setup(seed, SimOptions.DEFAULT))) {
                continue;
            }
            String violation = Simulation.run(seed, SimOptions.DEFAULT, mutant).violation();
            if (violation != null && violation.contains(words)) {
                assertThat(Simulation.run(seed, SimOptions.DEFAULT).violation())
                        .as("seed %d without the bug", seed)
                        .isNull();
                return;
            }
            if (violation != null) {
                others.merge(violation, 1, Integer::sum);
            }
        }
        throw new AssertionError("not in " + MOST_RUNS + " runs was it caught by '" + words + "', but by " + others);
    }

    /** A bug between the source and its world is caught. */
    static void source(String words, UnaryOperator<SourceHost> bug) {
        caught(Seams.NONE.withSourceHost(bug), words, setup -> true);
    }

    /** A bug between the destination and its world is caught. */
    static void destination(String words, UnaryOperator<DestinationHost> bug) {
        caught(Seams.NONE.withDestinationHost(bug), words, setup -> true);
    }

    /** A sensible operator goes on with the story from here, and cannot. */
    static void rescue(Story story, String words) {
        Rescue rescue = new Rescue(story.world, new SplittableRandom(1));
        broken(
                () -> {
                    rescue.begin();
                    story.until("it is over", rescue::over);
                },
                words);
    }

    /** What is done breaks the rule that says these words. */
    static void broken(Runnable action, String words) {
        assertThatThrownBy(action::run).hasMessageContaining(words);
    }

    /** A sink that hands everything on. */
    static class Sink implements PageSink {
        final PageSink to;

        Sink(PageSink to) {
            this.to = to;
        }

        @Override
        public BlockTable blocks() {
            return to.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return to.received(block);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            to.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            to.storeZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            to.read(block, page, out);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            to.discard(block, firstPage, count);
        }

        @Override
        public void beginPostcopy() {
            to.beginPostcopy();
        }

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            return to.place(block, page, in, position);
        }

        @Override
        public boolean placeZero(int block, long page) {
            return to.placeZero(block, page);
        }

        @Override
        public void reset() {
            to.reset();
        }
    }

    /** A source's memory that hands everything on. */
    static class Source implements PageSource {
        final PageSource to;

        Source(PageSource to) {
            this.to = to;
        }

        @Override
        public BlockTable blocks() {
            return to.blocks();
        }

        @Override
        public void trackDirty(boolean on) {
            to.trackDirty(on);
        }

        @Override
        public long harvestDirty(int block, PageBitmap dirty) {
            return to.harvestDirty(block, dirty);
        }

        @Override
        public boolean isZero(int block, long page) {
            return to.isZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            to.read(block, page, out);
        }
    }

    /** A destination's guest that hands everything on. */
    static class Incoming implements IncomingGuest {
        final IncomingGuest to;

        Incoming(IncomingGuest to) {
            this.to = to;
        }

        @Override
        public @Nullable String unfit(StreamMessage.Configuration configuration) {
            return to.unfit(configuration);
        }

        @Override
        public @Nullable String adopt(Arrival arrival) {
            return to.adopt(arrival);
        }

        @Override
        public PageSink memory() {
            return to.memory();
        }

        @Override
        public boolean known() {
            return to.known();
        }

        @Override
        public MissingPages missingPages() {
            return to.missingPages();
        }

        @Override
        public void reset() {
            to.reset();
        }

        @Override
        public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
            to.load(state, postcopy, confirmed, answer);
        }

        @Override
        public void finish(boolean confirmed, Answer answer) {
            to.finish(confirmed, answer);
        }

        @Override
        public void mend(Answer answer) {
            to.mend(answer);
        }
    }

    /** A source's world that hands everything on. */
    static class Host implements SourceHost {

        final SourceHost to;

        Host(SourceHost to) {
            this.to = to;
        }

        @Override
        public int connect(Channel channel) {
            return to.connect(channel);
        }

        @Override
        public void abort(int connection, String reason) {
            to.abort(connection, reason);
        }

        @Override
        public void close(int connection, Outbox rest) {
            to.close(connection, rest);
        }

        @Override
        public boolean confirms(int connection) {
            return to.confirms(connection);
        }

        @Override
        public void endOutput(int connection) {
            to.endOutput(connection);
        }

        @Override
        public void stopGuest(Departure departure) {
            to.stopGuest(departure);
        }

        @Override
        public void resumeGuest() {
            to.resumeGuest();
        }

        @Override
        public MachineState machineState() {
            return to.machineState();
        }

        @Override
        public void keepShallow(int connection) {
            to.keepShallow(connection);
        }

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            this.to.statusChanged(from, to, reason);
        }

        @Override
        public void passStarted(long pass) {
            to.passStarted(pass);
        }
    }

    /** A destination's world that hands everything on. */
    static class Ground implements DestinationHost {
        final DestinationHost to;

        Ground(DestinationHost to) {
            this.to = to;
        }

        /** The end itself. */
        DestinationEnd end() {
            return (DestinationEnd) to;
        }

        @Override
        public void abort(int connection, String reason) {
            to.abort(connection, reason);
        }

        @Override
        public void close(int connection, Outbox rest) {
            to.close(connection, rest);
        }

        @Override
        public void again(int connection) {
            to.again(connection);
        }

        @Override
        public long now() {
            return to.now();
        }

        @Override
        public void startGuest() {
            to.startGuest();
        }

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
            to.statusChanged(from, next, reason);
        }

        @Override
        public void notice(String text) {
            to.notice(text);
        }
    }
}
