// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class CompatibilityPageTest {
    private static final String PAGE =
            "before\n<!-- begin of what the tests saw -->\nold\n<!-- end of what the tests saw -->\nafter\n";

    private static String line(String qemu, String role, String way, String seen) {
        return "{\"qemu\": \"" + qemu + "\", \"role\": \"" + role + "\", \"preempt\": false, \"way\": \"" + way
                + "\", \"seen\": \"" + seen + "\", \"milliseconds\": 1}";
    }

    @Test
    void theTableSaysWhatWasSeenLast() {
        String page = CompatibilityPage.render(
                PAGE,
                List.of(
                        line("10.0", "park", "POSTCOPY", "it burst"),
                        line("10.0", "park", "POSTCOPY", ""),
                        line("7.2", "unpark", "CUT_IN_HANDSHAKE", "its process ends")));
        assertThat(page)
                .startsWith("before\n")
                .endsWith("<!-- end of what the tests saw -->\nafter\n")
                .doesNotContain("old", "it burst")
                .contains(
                        "| postcopy | not tried | not tried | yes | not tried | not tried | not tried |",
                        "| a recovery cut inside its handshake | its process ends | not tried | – | – | – | – |");
    }

    @Test
    void madeTwiceItIsTheSame() {
        List<String> seen = List.of(line("11.1", "park", "HELD", ""));
        String once = CompatibilityPage.render(PAGE, seen);
        assertThat(CompatibilityPage.render(once, seen)).isEqualTo(once);
    }

    @Test
    void aPageWithoutAPlaceForItIsRefused() {
        assertThatThrownBy(() -> CompatibilityPage.render("text", List.of())).hasMessageContaining("no place");
    }

    /** A cell that nobody has ever tried must not be in the documents. */
    @Test
    void thePageOfThisTreeIsComplete() throws IOException {
        String page = Files.readString(Path.of(System.getProperty("godwit.root"), "docs", "compatibility.md"));
        assertThat(page)
                .contains("<!-- begin of what the tests saw -->", "Godwit parks.", "Godwit unparks,")
                .doesNotContain("not tried");
        for (Cell.Way way : Cell.Way.values()) {
            assertThat(page).as("a row for each role").containsPattern("(?s)" + row(way) + ".*" + row(way));
        }
    }

    private static String row(Cell.Way way) {
        return Pattern.quote("| " + way.title() + " |");
    }
}
