// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FaultTest {
    private static List<String> all(int failures, long seed, String... faults) {
        List<Fault> chosen = Stream.of(faults).map(Fault::parse).toList();
        Settings settings = new Settings(256 << 20, 2, 20_000, failures, chosen, seed, 500, 0, false);
        return Fault.all(settings).stream().map(Fault::words).toList();
    }

    @Test
    void theUsualOnesAreThoseOfTheExperiment() {
        assertThat(all(4, 1))
                .containsExactly(
                        "relay (b) is dead",
                        "half-open, the source is kicked out",
                        "half-open, the destination is kicked out",
                        "half-open, nobody says anything");
        assertThat(all(1, 1)).containsExactly("relay (b) is dead");
        assertThat(all(0, 1)).isEmpty();
    }

    @Test
    void moreAreDrawnFromTheSeed() {
        assertThat(all(30, 7))
                .hasSize(30)
                .startsWith(all(4, 1).toArray(String[]::new))
                .isEqualTo(all(30, 7));
        assertThat(all(30, 7)).isNotEqualTo(all(30, 8));
        assertThat(Stream.of(1L, 2L, 3L).flatMap(seed -> all(30, seed).stream().skip(4)))
                .anyMatch(words -> words.startsWith("cut after") && words.endsWith("back"))
                .anyMatch(words -> words.startsWith("cut after") && words.endsWith("forward"))
                .contains("relay (b) refuses", "relay (b) swallows everything", "half-open, nobody says anything");
    }

    @Test
    void chosenOnesComeInTurn() {
        assertThat(all(5, 1, "half-open", "cut-after=2K"))
                .containsExactly(
                        "half-open, the source is kicked out",
                        "cut after 2,048 bytes",
                        "half-open, the destination is kicked out",
                        "cut after 2,048 bytes",
                        "half-open, nobody says anything");
        assertThat(all(2, 1, "refuse", "blackhole"))
                .containsExactly("relay (b) refuses", "relay (b) swallows everything");
    }

    @ParameterizedTest
    @ValueSource(strings = {"refuse", "blackhole", "half-open", "dead", "cut-after=100"})
    void aFaultPrintsTheWordsItIsReadFrom(String word) {
        assertThat(Fault.parse(word)).hasToString(word);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cut", "stall", "half-open=3", "forward:cut-after=1"})
    void whatIsNoneIsNamed(String word) {
        assertThatThrownBy(() -> Fault.parse(word))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + word + "'")
                .hasMessageContaining("cut-after=BYTES");
    }

    @Test
    void onlyACutComesLater() {
        assertThat(Fault.parse("cut-after=1").after(4)).hasToString("cut-after=4");
        assertThat(Fault.parse("cut-after=5").after(4)).hasToString("cut-after=5");
        assertThat(Fault.parse("blackhole").after(4)).hasToString("blackhole");
    }

    @Test
    void aCutNeedsItsBytes() {
        assertThatThrownBy(() -> Fault.parse("cut-after=x")).hasMessageContaining("no number");
    }
}
