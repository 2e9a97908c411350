// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Recoveries at a destination that needs none: one that has completed, one that failed, one that is another's; and what the operator decides where no answer can be had. */
@Timeout(60)
class LateRecoveryIT {
    private static final ChurnOptions IDLE = ChurnOptions.idle(Pair.MIB).withSeed(4713);

    /** The path falls silent for this long before it is given up. */
    private static Parameters watchful(Parameters p) {
        return new Parameters(0, 0, 300, 0, 5000, 400, 100);
    }

    /** Everything arrives but the destination's last word. */
    private static Pair lastWordLost(boolean postcopy) throws Exception {
        Pair pair = new Pair(
                Pair.Net.UNIX,
                IDLE,
                postcopy
                        ? Pair.postcopy(false)
                        : new Capability[] {Capability.RETURN_PATH, Capability.PAUSE_BEFORE_SWITCHOVER});
        if (postcopy) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.fault("half-open");
            pair.parameters(LateRecoveryIT::watchful);
        } else {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.PRE_SWITCHOVER);
            pair.fault("half-open");
            pair.parameters(LateRecoveryIT::watchful);
            pair.source.migrateContinue("pre-switchover");
        }
        pair.dst.await(MigrationStatus.COMPLETED);
        pair.src.await(postcopy ? MigrationStatus.POSTCOPY_PAUSED : MigrationStatus.UNCERTAIN);
        pair.guests.check();
        return pair;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCompletedDestinationSaysThatNothingIsMissing(boolean postcopy) throws Exception {
        try (Pair pair = lastWordLost(postcopy)) {
            assertThatThrownBy(pair.source::cont).hasMessageContaining("would give two of it");
            pair.recoverAndVerify();
            pair.dst.awaitNotice("it is told that nothing is missing");
            assertThat(pair.dst.states().getLast()).isEqualTo("STOP");
            assertThat(pair.dst.states().stream().filter("completed"::equals)).hasSize(1);
            assertThat(pair.source.runState()).isEqualTo("postmigrate");
        }
    }

    /** Even that answer may be lost, and be asked for again. */
    @Test
    void aCompletedDestinationSaysSoAsOftenAsItIsAsked() throws Exception {
        try (Pair pair = lastWordLost(false)) {
            for (int bytes = 0; bytes < 171; bytes += 19) {
                pair.fault("back:cut-after=" + bytes);
                pair.source.migrate(pair.target, true);
                pair.src.await(MigrationStatus.UNCERTAIN);
                pair.quiet();
                assertThat(pair.destination.info().status()).isEqualTo(MigrationStatus.COMPLETED);
                assertThat(pair.destination.runState()).isEqualTo("running");
                pair.guests.check();
            }
            pair.recoverAndVerify();
        }
    }

    @Test
    void anOperatorMayDecideThatTheDestinationHasIt() throws Exception {
        try (Pair pair = lastWordLost(false)) {
            pair.source.migrateResolve(Owner.DESTINATION);
            pair.src.await(MigrationStatus.COMPLETED);
            assertThat(pair.source.runState()).isEqualTo("postmigrate");
            assertThatThrownBy(pair.source::cont).hasMessageContaining("migrated away");
            pair.verifyDestination();
        }
    }

    /** The blob is lost with the network; whoever decides wrongly is not helped, but nothing is thrown away either. */
    @ParameterizedTest
    @EnumSource(
            value = Owner.class,
            names = {"SOURCE", "DESTINATION"})
    void whatNeverArrivedIsTheOperatorsToDecide(Owner owner) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            Pair.eventually(
                    "PONGs of PING 1 and of the first keep-alive",
                    () -> pair.relay.stats().backBytes() >= 16);
            pair.fault("forward:cut-after=100");
            pair.source.migrateStartPostcopy();
            pair.src.await(MigrationStatus.UNCERTAIN);
            pair.dst.await(MigrationStatus.FAILED);
            pair.fault("none");
            assertThatThrownBy(pair.source::migrateCancel).hasMessageContaining("x-godwit-migrate-resolve");
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false)).hasMessageContaining("resume=true");

            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.UNCERTAIN);
            pair.dst.awaitNotice("never became this side's");
            assertThat(pair.source.info().extra().uncertainWhy()).contains("never got the guest");
            assertThat(pair.source.runState()).isEqualTo("finish-migrate");

            assertThatThrownBy(() -> pair.source.migrateResolve(Owner.DESTINATION_WHOLE))
                    .hasMessageContaining("pages are still to be sent from here");
            pair.source.migrateResolve(owner);
            assertThatThrownBy(() -> pair.source.migrateResolve(owner))
                    .isInstanceOf(CommandRefused.class)
                    .hasMessageContaining("not in uncertain");
            if (owner == Owner.DESTINATION) {
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                assertThat(pair.sourceGuest.isRunning()).isFalse();
                return;
            }
            pair.src.await(MigrationStatus.FAILED);
            Pair.eventually("the guest runs here again", pair.sourceGuest::isRunning);
            pair.verifySource();
        }
    }

    /** A wrong address: the endpoint there was never this migration's. The right one is still there afterwards. */
    @Test
    void aForeignEndpointCannotTakeARecovery() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            try (Pair waiting = new Pair(Pair.TINY, Pair.postcopy(false))) {
                pair.source.migrate(waiting.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                waiting.dst.awaitNotice("recover a migration that is not known here");
                assertThat(waiting.dst.status()).isEqualTo(MigrationStatus.SETUP);
                // Now one that has a guest of its own, all of it.
                waiting.parameters(Pair::fast);
                waiting.source.migrate(waiting.target, false);
                waiting.bothCompleted();
                pair.source.migrate(waiting.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                assertThat(pair.source.info().errorDesc())
                        .contains("never sent", "not the destination of this migration");
                waiting.verifyDestination();
            }
            pair.recoverAndVerify();
        }
    }

    /** The foreign endpoint is itself paused, would take any source, and claims no page: it must notice that this one is not its own before it says go on. */
    @Test
    void aForeignPausedEndpointKeepsItsGuestWhole() throws Exception {
        ChurnOptions still = Pair.TINY.withWriters(0, 0);
        try (Pair pair = new Pair(still, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            try (Pair other = new Pair(still.withSeed(99), Pair.postcopy(false))) {
                other.parameters(Pair::slow);
                other.toProvenPostcopy();
                other.relay.cut();
                other.bothPaused();
                pair.parameters(Pair::fast);
                pair.source.migrate(other.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.COMPLETED);
                assertThat(pair.src.status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
                other.dst.await(MigrationStatus.POSTCOPY_PAUSED);
                assertThat(other.destination.info().errorDesc()).contains("another migration");
                other.recoverAndVerify();
            }
            pair.recoverAndVerify();
        }
    }

    /** Everything was sent and nothing proves that it arrived; then somebody else's completed destination says that it misses nothing. */
    @Test
    void aForeignCompletedEndpointProvesNothing() throws Exception {
        try (Pair pair = lastWordLost(false);
                Pair other = new Pair(IDLE.withSeed(99), Capability.RETURN_PATH)) {
            other.parameters(Pair::fast);
            other.source.migrate(other.target, false);
            other.bothCompleted();
            pair.source.migrate(other.target, true);
            pair.src.await(MigrationStatus.UNCERTAIN, MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.COMPLETED);
            assertThat(pair.src.status()).isEqualTo(MigrationStatus.UNCERTAIN);
            other.dst.awaitNotice("another migration");
            pair.recoverAndVerify();
        }
    }
}
