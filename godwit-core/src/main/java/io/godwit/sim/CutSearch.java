// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.wire.MultifdCompression;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The same small migration again and again, each time with one fault one byte later, until the byte at which it would strike does not come any more: a cut and a silence after every
 * byte of every channel, both ways. After it a sensible operator goes on until the guest is in one place, whole. All rules are looked at after every event.
 */
public final class CutSearch {
    /** Deadlines short against nothing else: 400 ms, PINGs every 50 ms. */
    private static final Parameters QUICK = new Parameters(0, 0, 300, 1_000_000_000, 400, 400, 50);

    private static final long MOST_EVENTS = 300_000;
    private static final long MOST_NANOS = 120_000_000_000L;
    private static final int NARROW = 1_500;
    private static final int MOST_VIOLATIONS = 10;

    private CutSearch() {}

    /** What is migrated, and which of its connections is broken. */
    public enum Journey {
        PRECOPY("precopy", false, false, Channel.MAIN, 0),
        POSTCOPY("postcopy", true, false, Channel.MAIN, 0),
        PREEMPT("postcopy with preempt", true, true, Channel.MAIN, 0),
        PREEMPT_CHANNEL("its preempt channel", true, true, Channel.PREEMPT, 0),
        RECOVERY("recovery", true, false, Channel.MAIN, 1),
        RECOVERY_WITH_PREEMPT("recovery with preempt", true, true, Channel.MAIN, 1),
        RECOVERY_PREEMPT_CHANNEL("its preempt channel", true, true, Channel.PREEMPT, 1),
        SECOND_RECOVERY("second recovery", true, false, Channel.MAIN, 2),
        SECOND_RECOVERY_WITH_PREEMPT("second recovery with preempt", true, true, Channel.MAIN, 2),
        MULTIFD("precopy with multifd", Multifd.PLAIN, Channel.MAIN, 0),
        MULTIFD_CHANNEL("its first channel", Multifd.PLAIN, Channel.MULTIFD, 0),
        MULTIFD_OTHER_CHANNEL("its second channel", Multifd.PLAIN, Channel.MULTIFD, 1),
        MULTIFD_ZLIB("precopy with multifd, zlib", Multifd.ZLIB, Channel.MAIN, 0),
        MULTIFD_ZLIB_CHANNEL("its first channel", Multifd.ZLIB, Channel.MULTIFD, 0),
        MULTIFD_OLD("precopy with old multifd", Multifd.OLD, Channel.MAIN, 0),
        MULTIFD_OLD_CHANNEL("its first channel", Multifd.OLD, Channel.MULTIFD, 0),
        MULTIFD_POSTCOPY("postcopy after multifd", Multifd.POSTCOPY, Channel.MAIN, 0),
        MULTIFD_POSTCOPY_CHANNEL("its first channel", Multifd.POSTCOPY, Channel.MULTIFD, 0);

        private final String words;
        private final boolean postcopy;
        private final boolean preempt;
        private final Channel channel;
        private final int recovery;
        private final @Nullable Multifd multifd;
        /** Which of several channels of that kind. */
        private final int index;

        Journey(String words, boolean postcopy, boolean preempt, Channel channel, int recovery) {
            this.words = words;
            this.postcopy = postcopy;
            this.preempt = preempt;
            this.channel = channel;
            this.recovery = recovery;
            this.multifd = null;
            this.index = 0;
        }

        Journey(String words, Multifd multifd, Channel channel, int index) {
            this.words = words;
            this.postcopy = multifd == Multifd.POSTCOPY;
            this.preempt = false;
            this.channel = channel;
            this.recovery = 0;
            this.multifd = multifd;
            this.index = index;
        }

        /** For people. */
        public String words() {
            return words;
        }
    }

    /** Pages on two channels of their own, until the switchover. */
    private enum Multifd {
        PLAIN,
        ZLIB,
        /** Of an old machine type, whose sync points have no words on the main channel. */
        OLD,
        POSTCOPY;

        MultifdParameters parameters() {
            return MultifdParameters.DEFAULT
                    .withChannels(2)
                    .withCompression(this == ZLIB ? MultifdCompression.ZLIB : MultifdCompression.NONE);
        }
    }

    /** How the connection breaks. */
    public enum Break {
        CUT("cut, what is under way arrives"),
        RESET("cut, what is under way is lost"),
        SILENCE("silence"),
        SWALLOWED("silence, bytes are taken");

        private final String words;

        Break(String words) {
            this.words = words;
        }

        /** For people. */
        public String words() {
            return words;
        }

        PipeFault after(long bytes) {
            return switch (this) {
                case CUT -> new PipeFault.Cut(bytes, false);
                case RESET -> new PipeFault.Cut(bytes, true);
                case SILENCE -> new PipeFault.Silence(bytes, false);
                case SWALLOWED -> new PipeFault.Silence(bytes, true);
            };
        }
    }

    /**
     * One place at which a journey is broken.
     *
     * @param back on the way to the source
     * @param bytes after so many bytes
     */
    public record Place(Journey journey, boolean back, Break how, long bytes) {
        @Override
        public String toString() {
            return journey + " " + (back ? "back" : "there") + " " + how + " " + bytes;
        }
    }

    /**
     * What one way of breaking one direction came to, over all its bytes.
     *
     * @param places bytes after which it was broken
     * @param moved so often the guest was at the destination at the end
     * @param stayed so often at the source
     * @param byWord so often an operator's word was needed
     * @param recoveries recoveries that destinations took up
     * @param violations the first of the rules that were broken, with their places
     */
    public record Row(
            Journey journey,
            boolean back,
            Break how,
            int places,
            int moved,
            int stayed,
            int byWord,
            long recoveries,
            List<String> violations) {
        public Row {
            violations = List.copyOf(violations);
        }

        /** One line of a table. */
        @Override
        public String toString() {
            return "%-30s %-5s %-32s %7d %7d %7d %7d %7d"
                    .formatted(
                            journey.words(),
                            back ? "back" : "there",
                            how.words(),
                            places,
                            moved,
                            stayed,
                            byWord,
                            violations.size());
        }
    }

    /** The heading of the rows. */
    public static String heading() {
        return "%-30s %-5s %-32s %7s %7s %7s %7s %7s"
                .formatted("exhaustive cuts", "way", "fault", "places", "moved", "stayed", "by word", "broken");
    }

    /**
     * All places of one direction, or every so many-th.
     *
     * @param stride 1 for every byte
     * @param first bytes before the first place, less than the stride
     */
    public static Row everywhere(Journey journey, boolean back, Break how, int stride, int first) {
        return everywhere(journey, back, how, stride, first, Seams.NONE);
    }

    static Row everywhere(Journey journey, boolean back, Break how, int stride, int first, Seams seams) {
        int places = 0;
        int moved = 0;
        int stayed = 0;
        int byWord = 0;
        long recoveries = 0;
        List<String> violations = new ArrayList<>();
        for (long bytes = first; ; bytes += stride) {
            Place place = new Place(journey, back, how, bytes);
            Run run = new Run(place, seams, null);
            Outcome.End end = null;
            try {
                end = run.toTheEnd();
            } catch (Violation | IllegalStateException e) {
                if (violations.size() < MOST_VIOLATIONS) {
                    violations.add(place + ": " + e.getMessage());
                }
            }
            boolean struck =
                    run.world.faults().count(FaultKind.CUT) + run.world.faults().count(FaultKind.SILENCE)
                            > Math.max(0, journey.recovery - 1);
            if (!struck) {
                return new Row(journey, back, how, places, moved, stayed, byWord, recoveries, violations);
            }
            places++;
            moved += end == Outcome.End.MOVED ? 1 : 0;
            stayed += end == Outcome.End.STAYED ? 1 : 0;
            byWord += run.rescue.resolved() ? 1 : 0;
            recoveries += run.world.recoveries();
        }
    }

    /** One place again, told line by line; the violation, or null. */
    public static @Nullable String replay(Place place, Consumer<String> lines) {
        try {
            new Run(place, Seams.NONE, lines).toTheEnd();
            return null;
        } catch (Violation | IllegalStateException e) {
            return e.getMessage();
        }
    }

    /** One migration with one fault. */
    private static final class Run {
        final World world;
        final Rescue rescue;
        private final Place place;
        private int mains;
        /** Channels of pages since the last main channel. */
        private int pageChannels;

        Run(Place place, Seams seams, @Nullable Consumer<String> lines) {
            this.place = place;
            SplittableRandom random = new SplittableRandom(7);
            world = new World(setup(place.journey()), random.split(), seams, lines);
            rescue = new Rescue(world, random.split());
            world.planner(this::plan);
        }

        private static Setup setup(Journey journey) {
            Multifd multifd = journey.multifd;
            MigrationOptions options = new MigrationOptions(true, journey.postcopy, journey.preempt, false, false, 2, 0)
                    .withMultifd(multifd == null ? null : multifd.parameters());
            return new Setup(
                    // An even number of pages is an old machine's.
                    Setup.blocks(multifd == Multifd.OLD ? 2 : 1, 2),
                    options,
                    options,
                    QUICK,
                    QUICK,
                    true,
                    2,
                    20_000,
                    0,
                    SimStorage.Quality.NONE,
                    false,
                    true,
                    Keeping.NONE);
        }

        private LinkPlan plan(Channel channel, boolean recovery) {
            int number = channel == Channel.MAIN ? mains++ : mains - 1;
            pageChannels = channel == Channel.MULTIFD ? pageChannels + 1 : 0;
            int index = Math.max(0, pageChannels - 1);
            LinkPlan good = LinkPlan.GOOD.withRoom(NARROW);
            Journey journey = place.journey();
            if (number == journey.recovery && channel == journey.channel && index == journey.index) {
                PipeFault fault = place.how().after(place.bytes());
                return place.back() ? good.withBackward(fault) : good.withForward(fault);
            }
            // The first recovery fails in the middle of its handshake where the second one is the matter.
            return recovery && number < place.journey().recovery && channel == Channel.MAIN
                    ? good.withBackward(new PipeFault.Cut(20, true))
                    : good;
        }

        Outcome.End toTheEnd() {
            world.destination().operator(new DestinationInput.Incoming());
            world.source().operator(new SourceInput.Migrate());
            if (place.journey().postcopy) {
                world.source().operator(new SourceInput.StartPostcopy());
            }
            if (place.journey().recovery > 0) {
                until(() -> world.source().state() instanceof SourceState.PostcopyActive(boolean proven, boolean _)
                        && proven);
                world.network().cutAll(true);
            }
            rescue.begin();
            until(rescue::over);
            return world.settle(3_000_000_000L, MOST_EVENTS);
        }

        private void until(BooleanSupplier condition) {
            long last = world.queue().now() + MOST_NANOS;
            while (!condition.getAsBoolean()) {
                if (world.queue().now() > last
                        || world.queue().done() > MOST_EVENTS
                        || !world.queue().step()) {
                    throw new Violation("it does not end: the source is in "
                            + world.source().state() + ", the destination in "
                            + world.destination().state());
                }
            }
        }
    }
}
