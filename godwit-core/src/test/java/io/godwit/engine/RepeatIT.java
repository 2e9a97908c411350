// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Timeout;

/** The main job, ten times: precopy, postcopy, cut, a recovery that is refused, one that hangs and is paused from either end or by nobody, one that works. */
@Timeout(60)
class RepeatIT {
    @RepeatedTest(10)
    void theMainJob(RepetitionInfo repetition) throws Exception {
        int round = repetition.getCurrentRepetition();
        Pair.Net net = round % 2 == 0 ? Pair.Net.TCP : Pair.Net.UNIX;
        ChurnOptions guest = ChurnOptions.of(8 * Pair.MIB).withSeed(round);
        try (Pair pair = new Pair(net, guest, Pair.postcopy(round % 4 < 2))) {
            pair.parameters(p -> new Parameters(64 * Pair.MIB, Pair.MIB, 1, 0, 300, 5000, 50));
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            Pair.eventually("pages move", () -> pair.destination.info().ram().normal() > 100);
            pair.source.migrateStartPostcopy();
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);

            if (round % 3 == 0) {
                pair.destination.migratePause();
            } else {
                pair.relay.cut();
            }
            pair.bothPaused();

            pair.fault("refuse");
            pair.source.migrate(pair.target, true);
            pair.bothPaused();

            pair.fault("half-open");
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_RECOVER);
            pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            if (round % 3 != 0) {
                (round % 3 == 1 ? pair.source : pair.destination).migratePause();
            }
            pair.bothPaused();
            long written = pair.destinationGuest.stats().pagesWritten();

            pair.recoverAndVerify();
            assertThat(pair.destinationGuest.stats().pagesWritten()).isGreaterThanOrEqualTo(written);
            assertThat(pair.source.info().extra().recoveriesTried()).isEqualTo(2);
        }
    }
}
