// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recovery fails as often as you like, in whatever way and whoever ends it; then it works. */
@Timeout(120)
class FailedRecoveriesIT {
    private static final int ROUNDS = 50;
    private static final long HANDSHAKE_MILLIS = 250;

    /** Who ends an attempt that hangs. */
    private enum Pauser {
        SOURCE,
        DESTINATION,
        NOBODY
    }

    private static Parameters impatient(Parameters p) {
        return new Parameters(1, 1, p.downtimeLimitMillis(), 0, HANDSHAKE_MILLIS, 5000, 50);
    }

    @ParameterizedTest
    @CsvSource({"UNIX, false", "TCP, true"})
    void fiftyTimes(Pair.Net net, boolean preempt) throws Exception {
        Dice dice = new Dice("FailedRecoveriesIT " + net);
        try (Pair pair = new Pair(net, Pair.TINY, Pair.postcopy(preempt))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.parameters(FailedRecoveriesIT::impatient);
            Map<String, Integer> seen = new TreeMap<>();
            for (int round = 0; round < ROUNDS; round++) {
                String fault = fault(dice);
                Pauser pauser = dice.oneOf(List.of(Pauser.values()));
                String what = "round " + round + ": " + fault + ", ended by " + pauser;
                try {
                    boolean recovered = attempt(pair, fault, pauser);
                    seen.merge((recovered ? "recovered " : "failed ") + fault.replaceAll("=.*", ""), 1, Integer::sum);
                } catch (Exception | AssertionError e) {
                    throw new AssertionError(what, e);
                }
            }
            System.out.println(net + ": " + seen);
            pair.recoverAndVerify();
        }
    }

    private static String fault(Dice dice) {
        return switch (dice.upTo(9)) {
            case 1 -> "refuse";
            case 2 -> "reset";
            case 3 -> "blackhole";
            case 4 -> "half-open";
            case 5 -> dice.oneOf(List.of("forward:stall", "back:stall", "stall"));
            case 6 -> "forward:swallow";
            case 7 -> "forward:cut-after=" + dice.upTo(60);
            case 8 -> "back:cut-after=" + dice.upTo(179);
            default -> dice.oneOf(List.of("delay=5", "back:delay=" + 2 * HANDSHAKE_MILLIS));
        };
    }

    /** True if it got to postcopy-active before it was cut. */
    private static boolean attempt(Pair pair, String fault, Pauser pauser) throws Exception {
        pair.fault(fault);
        pair.source.migrate(pair.target, true);
        switch (pauser) {
            case SOURCE -> pause(pair.source, pair.src);
            case DESTINATION -> {
                pair.src.await(
                        MigrationStatus.POSTCOPY_RECOVER,
                        MigrationStatus.POSTCOPY_PAUSED,
                        MigrationStatus.POSTCOPY_ACTIVE);
                pause(pair.destination, pair.dst);
            }
            case NOBODY -> {}
        }
        boolean recovered = pair.src.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.POSTCOPY_ACTIVE)
                == MigrationStatus.POSTCOPY_ACTIVE;
        if (recovered) {
            pair.relay.cut();
        }
        pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
        pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(pair.source.info().errorDesc()).isNotBlank();
        assertThat(pair.source.runState()).isEqualTo("finish-migrate");
        assertThat(pair.destination.runState()).isEqualTo("running");
        pair.guests.check();
        return recovered;
    }

    private static void pause(Endpoint endpoint, Diary diary) {
        try {
            endpoint.migratePause();
            diary.await(MigrationStatus.POSTCOPY_PAUSED);
        } catch (CommandRefused tooLate) {
            assertThat(tooLate).hasMessageContaining("migrate-pause works in");
        }
    }

    @Test
    void anAttemptThatDoesNotEvenConnectCanBePaused() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                FullHouse house = new FullHouse()) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();

            pair.source.migrate(house.address(), true);
            pair.src.await(MigrationStatus.POSTCOPY_RECOVER_SETUP);
            assertThatThrownBy(() -> pair.source.migrate(pair.target, true))
                    .isInstanceOf(CommandRefused.class)
                    .hasMessageContaining("postcopy-recover-setup");
            pair.source.migratePause();
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(pair.source.info().errorDesc()).contains("migrate-pause");

            // Nobody says anything: the deadline does.
            pair.parameters(FailedRecoveriesIT::impatient);
            long began = System.nanoTime();
            pair.source.migrate(house.address(), true);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat((pair.src.statusAt() - began) / 1_000_000).isBetween(HANDSHAKE_MILLIS, HANDSHAKE_MILLIS + 5_000);
            assertThat(pair.source.info().errorDesc()).contains("postcopy-recover-setup");

            pair.recoverAndVerify();
        }
    }
}
