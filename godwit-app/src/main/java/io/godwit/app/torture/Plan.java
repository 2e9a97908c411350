// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.net.Fault.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * All that is drawn for one round. The same seed, size and number of recoveries give the same plan.
 *
 * @param preempt whether requested pages have a channel of their own
 * @param sentPercent share of the memory that precopy sends before the switch to postcopy
 * @param wanted how many of these were asked for; 0 if the seed chose
 * @param recoveries how many times the channel is lost in postcopy
 */
record Plan(
        long seed,
        boolean postcopy,
        boolean preempt,
        int sentPercent,
        int recoveries,
        int wanted,
        List<Strike> strikes) {
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
            return moment + " + " + afterMillis + " ms: " + blow;
        }
    }

    Plan {
        strikes = List.copyOf(strikes);
    }

    /** @param recoveries that are wanted; 0: a few, as the seed says */
    static Plan draw(long seed, int recoveries) {
        return new Draw(seed).plan(recoveries);
    }

    /** One line. */
    String words() {
        return (postcopy ? preempt ? "postcopy with preempt" : "postcopy" : "precopy") + ", switched when "
                + sentPercent + " % are sent; "
                + strikes.stream().map(Strike::toString).collect(Collectors.joining("; "));
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
            boolean postcopy = wanted > 0 || dice.nextInt(4) != 0;
            boolean preempt = postcopy && dice.nextInt(3) == 0;
            int percent = dice.nextInt(5, 50);
            int early = postcopy ? dice.nextInt(2) : dice.nextInt(1, 4);
            for (int i = 0; i < early; i++) {
                precopy();
            }
            strikes.sort((a, b) -> a.moment().compareTo(b.moment()));
            if (!postcopy && dice.nextInt(8) == 0) {
                strike(Moment.ACTIVE, 500, new Blow.Kill(Side.SOURCE));
                return new Plan(seed, false, false, percent, 0, 0, strikes);
            }
            int recoveries = wanted > 0 ? wanted : dice.nextInt(1, USUAL_RECOVERIES + 1);
            if (dice.nextInt(3) == 0) {
                strike(Moment.SWITCH, 12, dice.nextBoolean() ? cutAt(PAGES_BYTES) : any(Moment.SWITCH));
            }
            for (int i = 0; postcopy && i < recoveries; i++) {
                strike(Moment.POSTCOPY, wanted > 0 ? 60 : 500, any(Moment.POSTCOPY));
                for (int more = dice.nextInt(wanted > 0 ? 2 : 3); more > 0; more--) {
                    Moment moment = dice.nextInt(4) == 0 ? Moment.PAUSED : Moment.RECOVER;
                    strike(moment, moment == Moment.PAUSED ? 200 : dice.nextInt(3) == 0 ? 1 : 120, any(moment));
                }
            }
            return new Plan(seed, postcopy, preempt, percent, postcopy ? recoveries : 0, wanted, strikes);
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
