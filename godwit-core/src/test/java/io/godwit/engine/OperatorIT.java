// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators' commands in the course of whole migrations: what each leads to, and that the guest is never lost by one. */
@Timeout(60)
class OperatorIT {
    private static final Capability[] PAUSING = {
        Capability.POSTCOPY_RAM, Capability.RETURN_PATH, Capability.PAUSE_BEFORE_SWITCHOVER
    };

    private static void completes(Pair pair) throws Exception {
        pair.parameters(Pair::fast);
        pair.source.migrate(pair.target, false);
        pair.bothCompleted();
        pair.verifyDestination();
    }

    private static Pair preSwitchover(boolean postcopy) throws Exception {
        Pair pair = new Pair(Pair.TINY, PAUSING);
        pair.parameters(postcopy ? Pair::slow : Pair::fast);
        pair.source.migrate(pair.target, false);
        if (postcopy) {
            pair.source.migrateStartPostcopy();
        }
        pair.src.await(MigrationStatus.PRE_SWITCHOVER);
        assertThat(pair.source.runState()).isEqualTo("finish-migrate");
        assertThat(pair.sourceGuest.isRunning()).isFalse();
        return pair;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWaitsBeforeTheSwitchoverCanGoOn(boolean postcopy) throws Exception {
        try (Pair pair = preSwitchover(postcopy)) {
            assertThatThrownBy(() -> pair.source.migrateContinue("active"))
                    .hasMessageContaining("the migration is in state pre-switchover, not in active");
            pair.parameters(Pair::fast);
            pair.source.migrateContinue("pre-switchover");
            pair.bothCompleted();
            assertThat(pair.src.states()).contains("pre-switchover", "device");
            assertThat(pair.dst.states().contains("postcopy-active")).isEqualTo(postcopy);
            pair.verifyDestination();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWaitsBeforeTheSwitchoverCanBeCancelled(boolean postcopy) throws Exception {
        try (Pair pair = preSwitchover(postcopy)) {
            pair.source.migrateCancel();
            pair.src.await(MigrationStatus.CANCELLED);
            pair.dst.await(MigrationStatus.FAILED);
            Pair.eventually("the guest goes on", pair.sourceGuest::isRunning);
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.source.setCapabilities(Map.of(Capability.PAUSE_BEFORE_SWITCHOVER, false));
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    /** The operator's stop counts although the guest was stopped when it was said. */
    @Test
    void aStopBeforeTheSwitchoverIsKept() throws Exception {
        try (Pair pair = preSwitchover(false)) {
            pair.source.stop();
            pair.source.migrateContinue("pre-switchover");
            pair.bothCompleted();
            assertThat(pair.destination.runState()).isEqualTo("paused");
            assertThat(pair.destinationGuest.isRunning()).isFalse();
            pair.destination.cont();
            Pair.eventually("the guest runs there", pair.destinationGuest::isRunning);
            pair.verifyDestination();
        }
    }

    @Test
    void aStopBeforeACancelIsKept() throws Exception {
        try (Pair pair = preSwitchover(false)) {
            pair.source.stop();
            pair.source.migrateCancel();
            pair.src.await(MigrationStatus.CANCELLED);
            assertThat(pair.source.runState()).isEqualTo("paused");
            assertThat(pair.sourceGuest.isRunning()).isFalse();
            pair.source.cont();
            Pair.eventually("the guest runs", pair.sourceGuest::isRunning);
            pair.verifySource();
        }
    }

    @Test
    void aStopBeforeTheGuestIsThereIsKept() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.destination.stop();
            pair.parameters(Pair::slow);
            pair.toPostcopy();
            assertThat(pair.destination.runState()).isEqualTo("paused");
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            assertThat(pair.destinationGuest.isRunning()).isFalse();
            pair.destination.cont();
            Pair.eventually("the guest runs there", pair.destinationGuest::isRunning);
            pair.verifyDestination();
        }
    }

    /** A guest that is paused moves paused; its destination decides when it runs. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPausedGuestArrivesPaused(boolean postcopy) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.source.stop();
            Pair.eventually("the guest has stopped", () -> pair.src.lines.contains("STOP"));
            pair.parameters(postcopy ? Pair::slow : Pair::fast);
            pair.source.migrate(pair.target, false);
            if (postcopy) {
                pair.source.migrateStartPostcopy();
                pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                pair.parameters(Pair::fast);
            }
            pair.bothCompleted();
            assertThat(pair.destination.runState()).isEqualTo("paused");
            assertThat(pair.dst.lines).doesNotContain("RESUME");
            pair.destination.cont();
            Pair.eventually("the guest runs there", pair.destinationGuest::isRunning);
            pair.verifyDestination();
        }
    }

    @Test
    void aCancelledMigrationLeavesTheGuestRunningAndCanBeRepeated() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(true))) {
            pair.parameters(Pair::slow);
            for (int i = 0; i < 3; i++) {
                pair.source.migrate(pair.target, false);
                pair.dst.await(MigrationStatus.ACTIVE);
                long written = pair.sourceGuest.stats().pagesWritten();
                pair.source.migrateCancel();
                assertThat(pair.src.status()).isEqualTo(MigrationStatus.CANCELLED);
                assertThat(pair.src.lines).anyMatch(line -> line.startsWith("cancelling"));
                pair.dst.await(MigrationStatus.FAILED);
                Pair.eventually(
                        "the guest writes", () -> pair.sourceGuest.stats().pagesWritten() > written);
                pair.destination.migrateIncoming(pair.listen);
            }
            completes(pair);
        }
    }

    @Test
    void aYankFailsAPrecopyAndPausesAPostcopy() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            pair.destination.yank();
            pair.src.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc()).contains("yank");
            pair.destination.migrateIncoming(pair.listen);
            pair.toProvenPostcopy();
            pair.source.yank();
            pair.bothPaused();
            assertThat(pair.source.info().errorDesc()).contains("yank");
            pair.recoverAndVerify();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eitherEndCanPause(boolean atSource) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(true))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            (atSource ? pair.source : pair.destination).migratePause();
            pair.bothPaused();
            assertThat((atSource ? pair.source : pair.destination).info().errorDesc())
                    .contains("migrate-pause");
            pair.recoverAndVerify();
        }
    }

    /** Each migration is asked about once: to have been refused in one is no consent in the next. */
    @Test
    void aQuitThatWasRefusedIsRefusedAgainForAnotherMigration() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            assertThatThrownBy(() -> pair.destination.quit("host-signal"))
                    .hasMessageContaining("pages are still at its source");
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            // The guest moves on, and this end holds what exists nowhere else once more.
            try (Pair next = new Pair(Pair.TINY, Pair.postcopy(false))) {
                next.source.stop();
                pair.destination.setParameters(Pair::slow);
                next.destination.setParameters(Pair::slow);
                pair.destination.migrate(next.listen, false);
                pair.destination.migrateStartPostcopy();
                next.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                assertThatThrownBy(() -> pair.destination.quit("host-signal")).hasMessageContaining("say it once more");
                pair.destination.setParameters(Pair::fast);
                next.dst.await(MigrationStatus.COMPLETED);
                next.verifyDestination();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"POSTCOPY_PREEMPT, postcopy-ram"})
    void capabilitiesThatDoNotGoTogetherAreRefused(Capability one, String needed) throws Exception {
        try (Pair pair = Pair.deferred(Pair.TINY, one)) {
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false)).hasMessageContaining(needed);
            assertThatThrownBy(() -> pair.destination.migrateIncoming(pair.listen))
                    .hasMessageContaining(needed);
            assertThat(pair.source.info().status()).isEqualTo(MigrationStatus.NONE);
            pair.source.setCapabilities(Map.of(one, false));
            pair.destination.setCapabilities(Map.of(one, false));
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    /** Parameters count from the moment they are set, in the middle of a wait too. */
    @Test
    void aDeadlineThatIsShortenedEndsTheWaitThatIsUnderWay() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(p -> new Parameters(1, 1, 300, 0, 60_000, 60_000, 50));
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.fault("half-open");
            pair.source.migrate(pair.target, true);
            pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            pair.parameters(p -> new Parameters(1, 1, 300, 0, 100, 60_000, 50));
            pair.bothPaused();
            pair.recoverAndVerify();
        }
    }

    @Test
    void capabilitiesStayAsTheyAreWhileAMigrationIsUnderWay() throws Exception {
        ChurnOptions idle = ChurnOptions.idle(Pair.MIB);
        try (Pair pair = new Pair(idle, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            Map<Capability, Boolean> other = Map.of(Capability.POSTCOPY_RAM, false);
            assertThatThrownBy(() -> pair.source.setCapabilities(other)).hasMessageContaining("under way");
            assertThatThrownBy(() -> pair.destination.setCapabilities(other)).hasMessageContaining("under way");
            // Whether events are sent is nothing to the peer: a destination that went on with a store could not tell of
            // itself.
            Map<Capability, Boolean> telling = Map.of(Capability.EVENTS, true);
            pair.destination.setCapabilities(telling);
            assertThat(pair.destination.capabilities()).contains(Capability.EVENTS);
            Map<Capability, Boolean> both = Map.of(Capability.EVENTS, true, Capability.POSTCOPY_RAM, false);
            assertThatThrownBy(() -> pair.destination.setCapabilities(both)).hasMessageContaining("under way");
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.source.setCapabilities(other);
        }
    }
}
