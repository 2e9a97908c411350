// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.sim.CutSearch.Break;
import io.godwit.sim.CutSearch.Journey;
import io.godwit.sim.CutSearch.Place;
import io.godwit.sim.CutSearch.Row;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Small migrations that break at one byte after another. {@code godwit sim --exhaustive} takes every byte of the way there, too. */
class CutSearchTest {
    /** A prime, so that the pages' own sizes are no multiples of it. */
    private static final int STRIDE = 311;

    @ParameterizedTest
    @EnumSource
    void afterEveryByteOfTheWayBack(Journey journey) {
        for (Break how : Break.values()) {
            Row row = CutSearch.everywhere(journey, true, how, 1, 0);
            whole(row);
        }
    }

    @ParameterizedTest
    @EnumSource
    void afterManyBytesOfTheWayThere(Journey journey) {
        // A preempt channel that nobody asks for a page carries eight bytes.
        int stride = journey == Journey.PREEMPT_CHANNEL ? 1 : STRIDE;
        for (Break how : Break.values()) {
            int first = (int) (System.nanoTime() % stride);
            Row row = CutSearch.everywhere(journey, false, how, stride, first);
            whole(row);
            assertThat(row.places()).as("%s, from byte %d on", row, first).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPlaceIsToldAgain(Journey journey) {
        List<String> lines = new ArrayList<>();
        assertThat(CutSearch.replay(new Place(journey, false, Break.RESET, 0), lines::add))
                .isNull();
        assertThat(lines).anyMatch(line -> line.contains(FaultKind.CUT.words()));
    }

    @Test
    void aRecoverThatNobodyCanLeaveIsFound() {
        Row row = CutSearch.everywhere(Journey.RECOVERY, true, Break.RESET, 7, 0, Mutants.DEAF_SOURCE_IN_RECOVER);
        assertThat(row.violations())
                .isNotEmpty()
                .allMatch(line -> line.startsWith("RECOVERY back RESET ") && line.contains("Recover"));
    }

    private static void whole(Row row) {
        assertThat(row.violations()).as(row.toString()).isEmpty();
        assertThat(row.moved() + row.stayed()).as(row.toString()).isEqualTo(row.places());
    }
}
