// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest that goes on: from A to B, and from there to C. */
@Timeout(60)
class OnwardIT {
    /** Another endpoint that waits for a guest; nothing else of the pair is used. */
    private static Pair third() throws Exception {
        Pair third = new Pair(Pair.TINY, Pair.postcopy(true));
        third.source.stop();
        Pair.eventually("its own guest stands still", () -> third.src.lines.contains("STOP"));
        return third;
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void fromAToBToC(boolean firstPostcopy, boolean thenPostcopy) throws Exception {
        try (Pair ab = new Pair(Pair.TINY, Pair.postcopy(true));
                Pair c = third()) {
            ab.parameters(firstPostcopy ? Pair::slow : Pair::fast);
            if (firstPostcopy) {
                ab.toPostcopy();
                assertThatThrownBy(() -> ab.destination.migrate(c.target, false))
                        .hasMessageContaining("the guest is not here: an incoming migration is in postcopy-active");
                ab.parameters(Pair::fast);
            } else {
                ab.source.migrate(ab.target, false);
            }
            ab.bothCompleted();

            ab.destination.setParameters(thenPostcopy ? Pair::slow : Pair::fast);
            c.destination.setParameters(Pair::slow);
            ab.destination.migrate(c.target, false);
            if (thenPostcopy) {
                ab.destination.migrateStartPostcopy();
                c.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                ab.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                c.relay.cut();
                ab.dst.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
                c.dst.await(MigrationStatus.POSTCOPY_PAUSED);
                ab.destination.setParameters(Pair::fast);
                ab.destination.migrate(c.target, true);
            }
            c.dst.await(MigrationStatus.COMPLETED);
            ab.dst.await(MigrationStatus.COMPLETED);
            assertThat(ab.destination.runState()).isEqualTo("postmigrate");
            assertThat(ab.destinationGuest.isRunning()).isFalse();
            assertThatThrownBy(ab.destination::cont).hasMessageContaining("migrated away");
            c.verifyDestination();
        }
    }

    /** The first source missed the last word; meanwhile its destination has handed the guest on, and still answers. */
    @Test
    void whoHasHandedTheGuestOnStillAnswersItsFirstSource() throws Exception {
        try (Pair ab = new Pair(Pair.TINY, Pair.postcopy(true));
                Pair c = third()) {
            ab.parameters(Pair::slow);
            ab.toProvenPostcopy();
            ab.fault("half-open");
            ab.parameters(p -> new Parameters(0, 0, 300, 0, 5000, 400, 100));
            ab.dst.await(MigrationStatus.COMPLETED);
            ab.src.await(MigrationStatus.POSTCOPY_PAUSED);
            ab.parameters(Pair::fast);
            ab.destination.migrate(c.target, false);
            c.dst.await(MigrationStatus.COMPLETED);
            ab.fault("none");
            ab.source.migrate(ab.target, true);
            ab.src.await(MigrationStatus.COMPLETED);
            assertThat(ab.sourceGuest.isRunning()).isFalse();
            assertThat(ab.destinationGuest.isRunning()).isFalse();
            c.verifyDestination();
        }
    }

    @Test
    void aMigrationThatFailedOnTheWayOnIsRepeated() throws Exception {
        try (Pair ab = new Pair(Pair.TINY, Pair.postcopy(true));
                Pair c = third()) {
            ab.parameters(Pair::fast);
            ab.source.migrate(ab.target, false);
            ab.bothCompleted();
            ab.destination.setParameters(Pair::slow);
            ab.destination.migrate(c.target, false);
            c.dst.await(MigrationStatus.ACTIVE);
            c.relay.cut();
            ab.dst.await(MigrationStatus.FAILED);
            c.dst.await(MigrationStatus.FAILED);
            assertThat(ab.destination.runState()).isEqualTo("running");
            c.destination.migrateIncoming(c.listen);
            ab.destination.setParameters(Pair::fast);
            ab.destination.migrate(c.target, false);
            c.dst.await(MigrationStatus.COMPLETED);
            ab.dst.await(MigrationStatus.COMPLETED);
            c.verifyDestination();
        }
    }
}
