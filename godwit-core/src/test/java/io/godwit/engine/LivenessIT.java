// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A path that is lost is known soon: one that falls silent within the liveness timeout, one that is cut at once. */
@Timeout(60)
class LivenessIT {
    private static final long LIVENESS_MILLIS = 500;
    /** What the machine may be busy with meanwhile. */
    private static final long GRACE_MILLIS = 3000;

    private static Parameters watchful(Parameters p) {
        return new Parameters(1, 1, 300, 0, 5000, LIVENESS_MILLIS, 50);
    }

    @ParameterizedTest
    @CsvSource({
        "blackhole, false",
        "blackhole, true",
        "half-open, false",
        "forward:swallow, false",
        "stall, false",
        "stall, true",
        "forward:stall, false",
        "back:stall, true"
    })
    void aSilentPathInPostcopyPausesBothInTime(String fault, boolean preempt) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(preempt))) {
            pair.parameters(LivenessIT::watchful);
            pair.toProvenPostcopy();
            long began = System.nanoTime();
            pair.fault(fault);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            // What the source says when it gives up may be swallowed too; the destination judges for itself.
            pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
            long source = (pair.src.statusAt() - began) / 1_000_000;
            long destination = (pair.dst.statusAt() - began) / 1_000_000;
            System.out.println(fault + ": paused after " + source + " and " + destination + " ms");
            assertThat(Math.max(source, destination)).isLessThan(2 * LIVENESS_MILLIS + GRACE_MILLIS);
            pair.recoverAndVerify();
        }
    }

    @ParameterizedTest
    @CsvSource({"blackhole", "half-open", "stall"})
    void aSilentPathInPrecopyFailsBothInTime(String fault) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(LivenessIT::watchful);
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            Pair.eventually("the first PONGs", () -> pair.relay.stats().backBytes() >= 16);
            long began = System.nanoTime();
            pair.fault(fault);
            pair.src.await(MigrationStatus.FAILED);
            pair.dst.await(MigrationStatus.FAILED);
            long later = Math.max(pair.src.statusAt(), pair.dst.statusAt());
            assertThat((later - began) / 1_000_000).isLessThan(2 * LIVENESS_MILLIS + GRACE_MILLIS);
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.fault("none");
            pair.destination.migrateIncoming(pair.listen);
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** A slow path is not a silent one: answers come late, but they come. */
    @Test
    void aSlowPathIsBorneWith() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(p -> new Parameters(1, 0, 300, 0, 5000, 2000, 50));
            pair.fault("delay=150,forward:rate=4M");
            pair.toPostcopy();
            pair.bothCompleted();
            assertThat(pair.src.states()).doesNotContain("postcopy-paused", "uncertain");
            pair.verifyDestination();
        }
    }

    @ParameterizedTest
    @EnumSource(Pair.Net.class)
    void aCutIsKnownAtOnce(Pair.Net net) throws Exception {
        int cuts = 11;
        long[] micros = new long[cuts];
        try (Pair pair = new Pair(net, Pair.TINY, Pair.postcopy(true))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            for (int i = 0; i < cuts; i++) {
                long began = System.nanoTime();
                pair.relay.cut();
                pair.bothPaused();
                micros[i] = (Math.max(pair.src.statusAt(), pair.dst.statusAt()) - began) / 1000;
                pair.source.migrate(pair.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);
                pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            }
            Arrays.sort(micros);
            System.out.println(net + ": cut to both paused in " + micros[cuts / 2] + " us (median), " + micros[cuts - 1]
                    + " us (slowest)");
            assertThat(micros[cuts / 2])
                    .as("aimed at: 20 ms; this machine may be busy")
                    .isLessThan(200_000);
            pair.relay.cut();
            pair.bothPaused();
            pair.recoverAndVerify();
        }
    }
}
