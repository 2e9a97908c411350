// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnOptions;
import io.godwit.net.FaultPlan;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole migrations of a running guest over real sockets in one process. */
@Timeout(120)
class EndpointIT {
    private static final long MIB = 1 << 20;
    private static final ChurnOptions GUEST = ChurnOptions.of(64 * MIB).withSeed(4711);

    private static Parameters slow(Parameters p) {
        return new Parameters(p.maxBandwidth(), 8 * MIB, p.downtimeLimitMillis(), 0, 500, 3000, 100);
    }

    private static Parameters fast(Parameters p) {
        return new Parameters(p.maxBandwidth(), 0, p.downtimeLimitMillis(), 0, 500, 3000, 100);
    }

    @Test
    void precopyMovesARunningGuest() throws Exception {
        try (Pair pair = new Pair(GUEST, Capability.RETURN_PATH, Capability.EVENTS)) {
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            assertThat(pair.src.states()).containsExactly("RESUME", "setup", "active", "STOP", "device", "completed");
            assertThat(pair.dst.states()).containsExactly("setup", "active", "RESUME", "completed");
            pair.verifyDestination();
            assertThat(pair.source.runState()).isEqualTo("postmigrate");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void postcopyServesThePagesThatTheGuestTouches(boolean preempt) throws Exception {
        try (Pair pair = new Pair(GUEST, with(preempt))) {
            pair.toPostcopy();
            pair.bothCompleted();
            assertThat(pair.destination.info().requests().count()).isPositive();
            pair.verifyDestination();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCutPausesBothAndRecoveryGoesOnAfterFailuresOfItsOwn(boolean preempt) throws Exception {
        try (Pair pair = new Pair(GUEST, with(preempt))) {
            pair.parameters(EndpointIT::slow);
            pair.toPostcopy();
            pair.relay.cut();
            pair.bothPaused();

            pair.relay.setFault(FaultPlan.parse("refuse"));
            pair.source.migrate(pair.target, true);
            pair.src.awaitLine("postcopy-recover-setup");
            pair.bothPaused();

            pair.relay.setFault(FaultPlan.parse("half-open"));
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_RECOVER);
            pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            pair.bothPaused();

            pair.relay.setFault(FaultPlan.NONE);
            pair.parameters(EndpointIT::fast);
            pair.source.migrate(pair.target, true);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    private static Capability[] with(boolean preempt) {
        return preempt
                ? new Capability[] {Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT, Capability.RETURN_PATH}
                : new Capability[] {Capability.POSTCOPY_RAM, Capability.RETURN_PATH};
    }
}
