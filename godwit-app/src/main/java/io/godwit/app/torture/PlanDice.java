// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.app.torture.Plan.Host;
import io.godwit.app.torture.Plan.Means;
import io.godwit.app.torture.Plan.Mode;
import io.godwit.app.torture.Plan.Strike;
import io.godwit.app.vm.Emulator;
import io.godwit.net.Fault.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What one {@link Plan} is drawn with. For one plan. */
final class PlanDice {
    private static final int USUAL_RECOVERIES = 4;
    private static final int LONGEST_FREEZE_MILLIS = 2_500;
    private static final int SHORTEST_FREEZE_MILLIS = 100;

    /** A handshake of a small guest takes some hundred bytes, the pages behind it come in thousands. */
    private static final int HANDSHAKE_BYTES = 1_500;

    private static final int PAGES_BYTES = 3_000_000;

    private static final int LONGEST_DOWN_MILLIS = 2_500;
    private static final int LEAST_KILOBITS = 100;
    private static final int MOST_KILOBITS = 16_000;

    /** What is in a send buffer is through before any deadline. */
    private static final int HARMLESS_KILOBITS = 4_000;

    private final long seed;
    private final boolean packets;
    private final SplittableRandom dice;
    private final List<Strike> strikes = new ArrayList<>();

    PlanDice(long seed, Means means) {
        this.seed = seed;
        this.packets = means == Means.PACKETS;
        this.dice = new SplittableRandom(seed);
    }

    Plan plan(int wanted) {
        Mode mode = wanted > 0
                ? Mode.POSTCOPY
                : switch (dice.nextInt(8)) {
                    case 0, 1 -> Mode.PRECOPY;
                    case 2, 3 -> Mode.STORED;
                    case 7 -> Mode.PARKED;
                    default -> Mode.POSTCOPY;
                };
        if (mode == Mode.PARKED) {
            return parked(Host.GODWIT);
        }
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
            case PARKED -> throw new IllegalStateException("drawn above");
        }
        return new Plan(seed, mode, preempt, percent, recoveries, wanted, strikes, onward);
    }

    Plan parked(Host host) {
        boolean preempt = dice.nextInt(3) == 0;
        way(Side.DESTINATION, host);
        List<Strike> in = List.copyOf(strikes);
        strikes.clear();
        way(Side.SOURCE, host);
        return new Plan(seed, Mode.PARKED, preempt, 0, 0, 0, in, strikes);
    }

    /** @param command the end that {@code park} or {@code unpark} is */
    private void way(Side command, Host host) {
        boolean precopy = dice.nextInt(4) == 0;
        for (int early = dice.nextInt(precopy ? 1 : 0, precopy ? 4 : 2); early > 0; early--) {
            strike(
                    Moment.ACTIVE,
                    600,
                    precopy || host == Host.GODWIT ? onWay(Moment.ACTIVE, command, host) : harmless());
        }
        for (int late = precopy ? 0 : dice.nextInt(1, 4); late > 0; late--) {
            strike(Moment.POSTCOPY, 500, onWay(Moment.POSTCOPY, command, host));
            if (dice.nextBoolean()) {
                strike(Moment.RECOVER, dice.nextBoolean() ? 1 : 150, onWay(Moment.RECOVER, command, host));
            }
        }
    }

    private Blow onWay(Moment moment, Side command, Host host) {
        if (host.fragile() && moment == Moment.RECOVER) {
            return harmless();
        }
        boolean wantsFirstBytes = host == Host.QEMU_FROM_10_1 && command == Side.SOURCE;
        if (packets) {
            Blow blow = packetsOnWay(command, host);
            return wantsFirstBytes && moment == Moment.RECOVER && blow instanceof Blow.Reset ? harmless() : blow;
        }
        Blow blow = relaysOnWay(moment, command, host);
        return wantsFirstBytes ? afterFirstBytes(moment, blow) : blow;
    }

    private Blow relaysOnWay(Moment moment, Side command, Host host) {
        return switch (dice.nextInt(9)) {
            case 0, 1, 2 -> new Blow.Kill(command);
            case 3 -> new Blow.Cut();
            case 4 -> cutAt(moment == Moment.RECOVER ? HANDSHAKE_BYTES : PAGES_BYTES);
            case 5, 6 -> harmless();
            // A silence that ends, or a port that is closed, breaks a recovery that was begun meanwhile.
            case 7 -> host.fragile() ? new Blow.Cut() : new Blow.Silence(direction());
            default -> host.fragile() ? harmless() : new Blow.Refuse(dice.nextInt(50, 500));
        };
    }

    /** A silence, too, may meet a recovery, and is ended by a cut. */
    private Blow afterFirstBytes(Moment moment, Blow blow) {
        return switch (blow) {
            case Blow.Silence _ -> new Blow.Silence(Direction.BACK);
            case Blow.Cut _ when moment == Moment.RECOVER -> new Blow.CutAt(Direction.FORWARD, Emulator.FIRST_BYTES);
            case Blow.Refuse _ when moment == Moment.RECOVER -> harmless();
            case Blow.CutAt(var direction, long bytes)
            when direction == Direction.FORWARD -> new Blow.CutAt(direction, Math.max(bytes, Emulator.FIRST_BYTES));
            case Blow.Cut _,
                    Blow.Refuse _,
                    Blow.CutAt _,
                    Blow.Slow _,
                    Blow.Freeze _,
                    Blow.Kill _,
                    Blow.Pause _,
                    Blow.Cancel _,
                    Blow.OnPackets _ -> blow;
        };
    }

    private Blow packetsOnWay(Side command, Host host) {
        return switch (dice.nextInt(9)) {
            case 0 -> new Blow.Kill(command);
            case 1, 2 -> new Blow.KillUnseen(command, down());
            case 3 -> new Blow.Reset(side());
            case 4, 5 -> harmless();
            case 6 -> host.fragile() ? new Blow.Reset(side()) : new Blow.Silence(direction());
            case 7 -> host.fragile() ? harmless() : new Blow.Down(side(), down());
            default -> host.fragile() ? harmless() : lossy();
        };
    }

    /** What breaks no connection by itself. */
    private Blow harmless() {
        if (dice.nextBoolean()) {
            return packets ? narrow(HARMLESS_KILOBITS) : slow();
        }
        return freeze(side());
    }

    private Blow lossy() {
        return new Blow.Lossy(direction(), dice.nextInt(2, 60), down());
    }

    private Blow narrow(int least) {
        return new Blow.Narrow(dice.nextInt(least, MOST_KILOBITS), down());
    }

    /** How long a link is down, and the like; in half of all cases TCP gets over it before a deadline is over. */
    private int down() {
        return dice.nextInt(50, LONGEST_DOWN_MILLIS);
    }

    private Side side() {
        return dice.nextBoolean() ? Side.SOURCE : Side.DESTINATION;
    }

    private Blow slow() {
        return new Blow.Slow(dice.nextInt(10, 200), dice.nextInt(100, 800));
    }

    private Blow freeze(Side side) {
        return new Blow.Freeze(side, dice.nextInt(SHORTEST_FREEZE_MILLIS, LONGEST_FREEZE_MILLIS));
    }

    private void early(int number) {
        for (int i = 0; i < number; i++) {
            precopy();
        }
        strikes.sort((a, b) -> a.moment().compareTo(b.moment()));
    }

    private void switching() {
        if (dice.nextInt(3) == 0) {
            strike(Moment.SWITCH, 12, dice.nextBoolean() && !packets ? cutAt(PAGES_BYTES) : any(Moment.SWITCH));
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
        return stored != null && dice.nextInt(3) == 0 ? kill(stored) : any(moment);
    }

    private Blow kill(Side side) {
        return packets && dice.nextBoolean() ? new Blow.KillUnseen(side, down()) : new Blow.Kill(side);
    }

    private void precopy() {
        Moment moment = dice.nextInt(4) == 0 ? Moment.SETUP : Moment.ACTIVE;
        strike(moment, moment == Moment.SETUP ? 4 : 600, any(moment));
    }

    private void strike(Moment moment, int latest, Blow blow) {
        strikes.add(new Strike(moment, dice.nextInt(latest), blow));
    }

    private Blow any(Moment moment) {
        Side side = side();
        return packets ? anyOfPackets(moment, side) : anyOfRelays(moment, side);
    }

    private Blow anyOfPackets(Moment moment, Side side) {
        return switch (dice.nextInt(8)) {
            case 0 -> new Blow.Reset(side);
            case 1, 2 -> new Blow.Silence(direction());
            case 3 -> lossy();
            case 4 -> narrow(LEAST_KILOBITS);
            case 5 -> new Blow.Down(side, down());
            case 6 -> freeze(side);
            default -> word(moment, side);
        };
    }

    private Blow anyOfRelays(Moment moment, Side side) {
        return switch (dice.nextInt(8)) {
            case 0 -> new Blow.Cut();
            case 1, 2 -> cutAt(moment == Moment.RECOVER ? HANDSHAKE_BYTES : PAGES_BYTES);
            case 3 -> new Blow.Silence(direction());
            case 4 -> slow();
            case 5 -> new Blow.Refuse(dice.nextInt(50, 500));
            case 6 -> freeze(side);
            default -> word(moment, side);
        };
    }

    /** What an operator, or somebody with kill -9, does. */
    private Blow word(Moment moment, Side side) {
        return switch (moment) {
            case SETUP, ACTIVE -> dice.nextBoolean() ? new Blow.Cancel() : kill(Side.DESTINATION);
            case SWITCH -> packets ? new Blow.Reset(side) : new Blow.Cut();
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
