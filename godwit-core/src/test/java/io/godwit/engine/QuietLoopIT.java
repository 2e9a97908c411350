// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.Stage.At;
import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop that may not or cannot do anything sleeps: measured in processor time. */
@Timeout(60)
@Execution(ExecutionMode.SAME_THREAD) // threads are found by their names
class QuietLoopIT {
    private static final long MILLIS = 300;
    private static final double MOST_PERCENT = 5;

    private static void quiet(String what) {
        // What has just happened may have its aftermath.
        Pair.pause(30);
        List<Double> both = LoopClock.percents(MILLIS, "source", "destination");
        double source = both.getFirst();
        double destination = both.getLast();
        System.out.printf("%s: loops take %.2f %% and %.2f %% of a processor%n", what, source, destination);
        assertThat(source).as(what + ": source").isLessThan(MOST_PERCENT);
        assertThat(destination).as(what + ": destination").isLessThan(MOST_PERCENT);
    }

    /** Nothing is to be sent, or nothing may be: in each of these states. */
    @ParameterizedTest
    @EnumSource(
            value = At.class,
            names = {
                "SOURCE_NONE",
                "SOURCE_SETUP",
                "SOURCE_ACTIVE",
                "SOURCE_PRE_SWITCHOVER",
                "SOURCE_DEVICE",
                "SOURCE_POSTCOPY_ACTIVE",
                "SOURCE_PAUSED",
                "SOURCE_RECOVER_SETUP",
                "SOURCE_RECOVER",
                "SOURCE_UNCERTAIN",
                "SOURCE_COMPLETED",
                "SOURCE_FAILED"
            })
    void whoWaitsSleeps(At at) throws Exception {
        try (Stage stage = Stage.set(at)) {
            if (at == At.SOURCE_POSTCOPY_ACTIVE) {
                // A guest that asks for pages is given them, bandwidth or not: that is work.
                stage.pair.destination.stop();
            }
            quiet(stage.status().word());
        }
    }

    /** A guest that writes faster than the limit lets its pages go. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoIsHeldToABandwidthSleepsBetween(boolean postcopy) throws Exception {
        try (Pair pair = new Pair(ChurnOptions.of(16 * Pair.MIB).withWriters(2, 2000), Pair.postcopy(false))) {
            pair.parameters(p -> new Parameters(Pair.MIB, Pair.MIB, 0, 0, 5000, 10_000, 100));
            pair.source.migrate(pair.target, false);
            if (postcopy) {
                // Paused there, it asks for nothing: what is left is the background.
                pair.source.stop();
                pair.source.migrateStartPostcopy();
                pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            }
            quiet("1 MiB/s in " + pair.source.info().status());
        }
    }

    /** Who does not read holds up the sender, and that is all: neither end spins. */
    @ParameterizedTest
    @ValueSource(strings = {"forward:stall", "back:stall", "stall", "half-open"})
    void whoIsHeldUpSleeps(String fault) throws Exception {
        try (Pair pair = new Pair(ChurnOptions.of(16 * Pair.MIB).withWriters(2, 2000), Pair.postcopy(false))) {
            pair.parameters(p -> new Parameters(1, 0, 300, 0, 60_000, 60_000, 20));
            pair.toPostcopy();
            pair.fault(fault);
            Pair.pause(100);
            quiet(fault);
        }
    }

    /** A precopy with nothing dirty that may not complete, since the destination's SWITCHOVER_ACK does not come. */
    @Test
    void whoHasNothingToSendAndMayNotSwitchSleeps() throws Exception {
        ChurnOptions idle = ChurnOptions.idle(16 * Pair.MIB);
        Capability[] there = {Capability.RETURN_PATH};
        Capability[] here = {Capability.RETURN_PATH, Capability.SWITCHOVER_ACK};
        try (Pair pair = new Pair(Pair.Net.UNIX, idle, idle.size(), here, there)) {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            Pair.eventually("all is sent", () -> pair.source.info().ram().dirtySyncCount() > 3);
            quiet("nothing dirty");
            assertThat(pair.src.status()).isEqualTo(MigrationStatus.ACTIVE);
        }
    }
}
