// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScreenTest {
    private final StringWriter out = new StringWriter();
    private final Screen screen = new Screen(new PrintWriter(out));

    private static Row row(String text) {
        return new Row(200, false).add(text);
    }

    private String draw(List<Row> staying, List<Row> panel) {
        out.getBuffer().setLength(0);
        screen.draw(_ -> staying, _ -> panel);
        return out.toString();
    }

    @Test
    void thePanelIsTakenAwayBeforeItIsDrawnAgain() {
        assertThat(draw(List.of(row("first")), List.of(row("a"), row("b")))).isEqualTo("first\na\nb\n");
        assertThat(draw(List.of(row("second")), List.of(row("c")))).isEqualTo("\033[2A\r\033[Jsecond\nc\n");
        assertThat(draw(List.of(), List.of())).isEqualTo("\033[1A\r\033[J");
        assertThat(draw(List.of(row("last")), List.of())).isEqualTo("last\n");
    }

    @Test
    void aLineThatTheWindowHasFoldedCountsTwice() {
        assertThat(draw(List.of(), List.of(row("x".repeat(81)), row("y")))).startsWith("x");
        assertThat(draw(List.of(), List.of())).isEqualTo("\033[3A\r\033[J");
    }

    @Test
    void aPanelThatIsHigherThanTheWindowIsLeftAway() {
        List<Row> high = IntStream.range(0, 30).mapToObj(i -> row("" + i)).toList();
        assertThat(draw(List.of(row("stays")), high)).isEqualTo("stays\n");
    }

    @Test
    void contentIsMadeForTheWindowsWidth() {
        screen.draw(columns -> List.of(row("" + columns)), _ -> List.of());
        assertThat(out).hasToString("79\n");
    }

    @Test
    void aRowIsCutOffAtItsWidthAndPaintedOnlyIfItMayBe() {
        assertThat(new Row(8, true).add(Ink.RED, "ab").to(4).add("cdefgh")).hasToString("\033[31mab\033[0m  cdef");
        assertThat(new Row(8, false).add(Ink.RED, "ab").to(4).add("cdefgh").used())
                .isEqualTo(8);
        assertThat(new Row(8, false).add("abcd").to(2).add("e")).hasToString("abcd e");
        assertThat(new Row(2, true).add("ab").add(Ink.RED, "c")).hasToString("ab");
    }

    @Test
    void theEnvironmentSaysWhatMayBeUsed() {
        assertThat(Screen.usable(Map.of("TERM", "dumb"))).isFalse();
        assertThat(Screen.usable(Map.of())).isFalse();
        assertThat(Screen.usable(Map.of("TERM", "xterm")))
                .as("a test's output is no terminal")
                .isFalse();
        assertThat(Screen.colour(Map.of())).isTrue();
        assertThat(Screen.colour(Map.of("NO_COLOR", ""))).isTrue();
        assertThat(Screen.colour(Map.of("NO_COLOR", "1"))).isFalse();
        assertThat(Screen.unicode(StandardCharsets.UTF_8)).isTrue();
        assertThat(Screen.unicode(StandardCharsets.US_ASCII)).isFalse();
    }
}
