// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private static Settings of(long mebibytes, long rate) {
        return new Settings(mebibytes << 20, 2, rate, 4, List.of(), 1, 500, 1000, false);
    }

    /** The hot pages are few enough that the writers soon have them all, and so are not held up by a lost channel. */
    @ParameterizedTest
    @CsvSource({"16, 20000, 10", "256, 20000, 10", "1024, 20000, 3", "16384, 20000, 1", "256, 10, 1", "256, 0, 10"})
    void theHotShareFollowsFromSizeAndRate(long mebibytes, long rate, int percent) {
        Settings settings = of(mebibytes, rate);
        assertThat(settings.hotPercent()).isEqualTo(percent);
        assertThat(settings.hotPercent() + settings.coldPercent()).isEqualTo(90);
    }

    /** Neither the readers nor the background may have moved everything before the channel breaks. */
    @ParameterizedTest
    @CsvSource({"16", "256", "1024", "16384"})
    void whatMovesInTenSecondsOfPostcopyIsLessThanHalf(long mebibytes) {
        Settings settings = of(mebibytes, 20_000);
        long background = settings.postcopyBandwidth() * 10;
        long requested = settings.readRate() * 4096 * 10;
        assertThat(background + requested).isLessThan(settings.size() / 2);
    }
}
