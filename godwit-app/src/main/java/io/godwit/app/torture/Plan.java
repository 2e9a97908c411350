// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.net.Fault.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * All that is drawn for one round. The same seed, size and number of recoveries give the same plan.
 *
 * @param preempt whether requested pages have a channel of their own
 * @param sentPercent share of the memory that precopy sends before the switch to postcopy
 * @param wanted how many of these were asked for; 0 if the seed chose
 * @param recoveries how many blows come in postcopy-active; most lose the channel
 * @param onward the blows of a second migration, out of the store; empty without one
 */
record Plan(
        long seed,
        Mode mode,
        boolean preempt,
        int sentPercent,
        int recoveries,
        int wanted,
        List<Strike> strikes,
        List<Strike> onward) {
    private static final int USUAL_RECOVERIES = 4;
    private static final int LONGEST_FREEZE_MILLIS = 2_500;
    private static final int SHORTEST_FREEZE_MILLIS = 100;

    /** A handshake of a small guest takes some hundred bytes, the pages behind it come in thousands. */
    private static final int HANDSHAKE_BYTES = 1_500;

    private static final int PAGES_BYTES = 3_000_000;

    /**
     * One blow.
     *
     * @param afterMillis how long after its moment has come
     */
    record Strike(Moment moment, int afterMillis, Blow blow) {
        @Override
        public String toString() {
            return moment + " + " + afterMillis + " ms: " + blow.words();
        }
    }

    /** What is migrated how. */
    enum Mode {
        PRECOPY,
        POSTCOPY,
        /** Postcopy into a store and postcopy out of it: the process that has the store may be killed at any moment of these, and goes on when it is started again. */
        STORED;

        @Override
        public String toString() {
            return this == STORED ? "postcopy into a store and out of it" : name().toLowerCase(Locale.ROOT);
        }
    }

    Plan {
        strikes = List.copyOf(strikes);
        onward = List.copyOf(onward);
    }

    /** @param recoveries that are wanted; 0: a few, as the seed says */
    static Plan draw(long seed, int recoveries) {
        return new Draw(seed).plan(recoveries);
    }

    boolean postcopy() {
        return mode != Mode.PRECOPY;
    }

    /** One line. */
    String words() {
        return mode + (preempt ? " with preempt" : "") + ", switched when " + sentPercent + " % are sent; "
                + words(strikes) + (onward.isEmpty() ? "" : "; on the way out: " + words(onward));
    }

    private static String words(List<Strike> strikes) {
        return strikes.stream().map(Strike::toString).collect(Collectors.joining("; "));
    }

    /** The dice of one plan. */
    private static final class Draw {
        private final long seed;
        private final SplittableRandom dice;
        private final List<Strike> strikes = new ArrayList<>();

        Draw(long seed) {
            this.seed = seed;
            this.dice = new SplittableRandom(seed);
        }

        Plan plan(int wanted) {
            Mode mode = wanted > 0
                    ? Mode.POSTCOPY
                    : switch (dice.nextInt(8)) {
                        case 0, 1 -> Mode.PRECOPY;
                        case 2, 3 -> Mode.STORED;
                        default -> Mode.POSTCOPY;
                    };
            boolean preempt = mode != Mode.PRECOPY && dice.nextInt(3) == 0;
            int percent = dice.nextInt(5, 50);
            int recoveries = wanted > 0 ? wanted : dice.nextInt(1, USUAL_RECOVERIES + 1);
            List<Strike> onward = List.of();
            switch (mode) {
                case PRECOPY -> {
                    early(dice.nextInt(1, 4));
                    if (dice.nextInt(8) == 0) {
                        strike(Moment.ACTIVE, 500, new Blow.Kill(Side.SOURCE));
                    } else {
                        switching();
                    }
                    recoveries = 0;
                }
                case POSTCOPY -> {
                    early(dice.nextInt(2));
                    switching();
                    late(recoveries, wanted > 0, null);
                }
                case STORED -> {
                    late(recoveries, false, Side.SOURCE);
                    onward = List.copyOf(strikes);
                    strikes.clear();
                    late(recoveries, false, Side.DESTINATION);
                }
            }
            return new Plan(seed, mode, preempt, percent, recoveries, wanted, strikes, onward);
        }

        private void early(int number) {
            for (int i = 0; i < number; i++) {
                precopy();
            }
            strikes.sort((a, b) -> a.moment().compareTo(b.moment()));
        }

        private void switching() {
            if (dice.nextInt(3) == 0) {
                strike(Moment.SWITCH, 12, dice.nextBoolean() ? cutAt(PAGES_BYTES) : any(Moment.SWITCH));
            }
        }

        /** @param stored who has the store, and may be killed; null: nobody */
        private void late(int recoveries, boolean many, @Nullable Side stored) {
            for (int i = 0; i < recoveries; i++) {
                strike(Moment.POSTCOPY, many ? 60 : 500, killOr(stored, Moment.POSTCOPY));
                for (int more = dice.nextInt(many ? 2 : 3); more > 0; more--) {
                    Moment moment = dice.nextInt(4) == 0 ? Moment.PAUSED : Moment.RECOVER;
                    int latest = moment == Moment.PAUSED ? 200 : dice.nextInt(3) == 0 ? 1 : 120;
                    strike(moment, latest, killOr(stored, moment));
                }
            }
        }

        private Blow killOr(@Nullable Side stored, Moment moment) {
            return stored != null && dice.nextInt(3) == 0 ? new Blow.Kill(stored) : any(moment);
        }

        private void precopy() {
            Moment moment = dice.nextInt(4) == 0 ? Moment.SETUP : Moment.ACTIVE;
            strike(moment, moment == Moment.SETUP ? 4 : 600, any(moment));
        }

        private void strike(Moment moment, int latest, Blow blow) {
            strikes.add(new Strike(moment, dice.nextInt(latest), blow));
        }

        private Blow any(Moment moment) {
            Side side = dice.nextBoolean() ? Side.SOURCE : Side.DESTINATION;
            return switch (dice.nextInt(8)) {
                case 0 -> new Blow.Cut();
                case 1, 2 -> cutAt(moment == Moment.RECOVER ? HANDSHAKE_BYTES : PAGES_BYTES);
                case 3 -> new Blow.Silence(direction());
                case 4 -> new Blow.Slow(dice.nextInt(10, 200), dice.nextInt(100, 800));
                case 5 -> new Blow.Refuse(dice.nextInt(50, 500));
                case 6 -> new Blow.Freeze(side, dice.nextInt(SHORTEST_FREEZE_MILLIS, LONGEST_FREEZE_MILLIS));
                default -> word(moment, side);
            };
        }

        /** What an operator, or somebody with kill -9, does. */
        private Blow word(Moment moment, Side side) {
            return switch (moment) {
                case SETUP, ACTIVE -> dice.nextBoolean() ? new Blow.Cancel() : new Blow.Kill(Side.DESTINATION);
                case SWITCH -> new Blow.Cut();
                case POSTCOPY, PAUSED, RECOVER -> new Blow.Pause(side);
            };
        }

        private Blow cutAt(int most) {
            // As many small numbers as large ones: a message's bytes count as much as the pages'.
            int below = 1 << dice.nextInt(1, 32 - Integer.numberOfLeadingZeros(most));
            return new Blow.CutAt(direction(), dice.nextInt(below));
        }

        private Direction direction() {
            return dice.nextBoolean() ? Direction.FORWARD : Direction.BACK;
        }
    }
}
