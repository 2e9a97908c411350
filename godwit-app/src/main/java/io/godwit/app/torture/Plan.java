// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.vm.Emulator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

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
        STORED,
        /** {@code godwit park} and {@code godwit unpark}, which drive everything themselves, are killed at any moment, and are started again by the same command. */
        PARKED;

        @Override
        public String toString() {
            return switch (this) {
                case STORED -> "postcopy into a store and out of it";
                case PARKED -> "godwit park and godwit unpark";
                case PRECOPY, POSTCOPY -> name().toLowerCase(Locale.ROOT);
            };
        }
    }

    Plan {
        strikes = List.copyOf(strikes);
        onward = List.copyOf(onward);
    }

    /**
     * Rounds of every kind.
     *
     * @param recoveries that are wanted; 0: a few, as the seed says
     * @param means what can be done to the network
     */
    static Plan draw(long seed, int recoveries, Means means) {
        return new PlanDice(seed, means).plan(recoveries);
    }

    /** By what faults of the network are made. */
    enum Means {
        /** They know bytes and connections. */
        RELAYS,
        /** Of packets between network namespaces. */
        PACKETS
    }

    boolean postcopy() {
        return mode != Mode.PRECOPY;
    }

    /**
     * Rounds of {@code park} and {@code unpark} alone.
     *
     * @param host who has the machine, and by its nature may lose it
     */
    static Plan parked(long seed, Host host, Means means) {
        return new PlanDice(seed, means).parked(host);
    }

    /** Who has the machine that is parked and unparked. */
    enum Host {
        GODWIT,
        /** It gives its guest away for good when it has sent the device state; if that does not arrive, nobody has it ({@code spec/sequences.md}). Nothing is broken around that moment. */
        QEMU,
        /** As {@link #QEMU}, and as destination it gives its guest up for a recovery that ends before its fourth byte: none is broken there before. */
        QEMU_FROM_10_1,
        /** As {@link #QEMU}, and a recovery's broken connection is its end: none is broken there. */
        QEMU_BEFORE_8_2;

        static Host of(Emulator emulator) {
            return emulator.mayNotSurviveFailedRecoveries()
                    ? QEMU_BEFORE_8_2
                    : emulator.mayGiveUpEarly() ? QEMU_FROM_10_1 : QEMU;
        }

        boolean fragile() {
            return this == QEMU_BEFORE_8_2;
        }
    }

    /** Whether a way of {@link Mode#PARKED} is made by precopy: all that is done to it comes before the guest changes sides. */
    static boolean isPrecopy(List<Strike> way) {
        return !way.isEmpty() && way.stream().allMatch(strike -> strike.moment() == Moment.ACTIVE);
    }

    /** One line. */
    String words() {
        return mode
                + (preempt ? " with preempt" : "")
                + (mode == Mode.PARKED ? "; " : ", switched when " + sentPercent + " % are sent; ")
                + words(strikes)
                + (onward.isEmpty() ? "" : "; on the way out: " + words(onward));
    }

    private static String words(List<Strike> strikes) {
        return strikes.stream().map(Strike::toString).collect(Collectors.joining("; "));
    }
}
