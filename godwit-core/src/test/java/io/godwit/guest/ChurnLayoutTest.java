// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChurnLayoutTest {
    private static ChurnLayout layout(int writers, int pages) {
        return new ChurnLayout(ChurnOptions.of((long) pages * Pages.SIZE)
                .withWriters(writers, 0)
                .withShares(50, 30));
    }

    @Test
    void everyPageOfEveryBlockHasOneIndex() {
        ChurnLayout layout = layout(3, 1000);
        Set<Long> places = new HashSet<>();
        for (long index = 0; index < layout.indexes(); index++) {
            long place = layout.place(index);
            long pages = ChurnGuest.blocks(1000L * Pages.SIZE)
                    .get(ChurnLayout.block(place))
                    .pages();
            assertThat(ChurnLayout.page(place)).isBetween(0L, pages - 1);
            assertThat(places.add(place)).isTrue();
        }
        assertThat(places).hasSize(1000 + 256 + 64);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 300})
    void everyHotPageHasOneWriterAndOnePositionInItsWalk(int writers) {
        ChurnLayout layout = layout(writers, 1000);
        Set<Long> walked = new HashSet<>();
        for (int writer = 0; writer < writers; writer++) {
            for (long position = 0; position < layout.owned(writer); position++) {
                long index = layout.hotIndex(writer, position);
                assertThat(layout.role(index)).isEqualTo(ChurnLayout.Role.HOT);
                assertThat(layout.owner(index)).isEqualTo(writer);
                assertThat(layout.position(index)).isEqualTo(position);
                assertThat(walked.add(index)).isTrue();
            }
        }
        assertThat(walked).hasSize(628);
    }

    @Test
    void theFirstOfSeveralWritersHasFewPages() {
        assertThat(layout(1, 1000).owned(0)).isEqualTo(628);
        assertThat(layout(2, 1000).owned(0)).isEqualTo(32);
        assertThat(layout(2, 1000).owned(1)).isEqualTo(596);
        assertThat(layout(300, 1000).owned(0)).isEqualTo(2);
    }

    @Test
    void withoutWritersTheHotPagesAreCold() {
        ChurnLayout layout = layout(0, 1000);
        assertThat(layout.role(0)).isEqualTo(ChurnLayout.Role.COLD);
        assertThat(layout.coldPages()).isEqualTo(628 + 376 + 64);
        for (long i = 0; i < layout.coldPages(); i++) {
            assertThat(layout.role(layout.coldIndex(i))).isEqualTo(ChurnLayout.Role.COLD);
        }
    }
}
