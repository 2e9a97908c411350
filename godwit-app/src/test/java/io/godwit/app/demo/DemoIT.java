// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.lab.InProcesses;
import io.godwit.app.lab.Programs;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code godwit demo} in processes of its own, on a small guest. */
@Timeout(180)
class DemoIT extends InProcesses {
    private String[] small(String... more) {
        List<String> words = new ArrayList<>(List.of("demo", "--size", "32M", "--dwell", "50", "--deadline", "200"));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    static List<String> strings(JsonArray array) {
        return array.values().stream()
                .map(Json::toString)
                .map(text -> text.replace("\"", ""))
                .toList();
    }

    @Test
    void theDocumentTellsTheWholeStory() throws Exception {
        Programs.Program demo = programs.start(small("--json"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        JsonObject document = (JsonObject) Json.parse(text);

        assertThat(document.string("verdict")).isEqualTo("passed");
        assertThat(document.object("memory").bool("ok")).isTrue();
        assertThat(document.object("memory").int64("pages")).isEqualTo((32 << 8) + 256 + 64);
        assertThat(document.int64("failed-recoveries")).isEqualTo(4);
        assertThat(document.int64("downtime-ms")).isNotNegative();
        assertThat(document.object("destination").object("x-godwit-requests").int64("count"))
                .isPositive();
        assertThat(document.object("destination").object("x-godwit-requests").int64("outstanding"))
                .isZero();
        assertThat(document.object("guest").int64("blocked-threads")).isZero();
        assertThat(document.string("source-refused-cont")).contains("migrated away");

        JsonArray losses = document.array("losses");
        assertThat(losses.object(0).string("cause")).isEqualTo("migrate-pause");
        assertThat(losses.object(1).string("cause")).isEqualTo("cut");
        for (int i = 0; i < losses.size(); i++) {
            assertThat(losses.object(i).int64("pages-written-meanwhile")).isPositive();
        }
        recoveries(losses);
        timeline(document.array("timeline"));
    }

    private void recoveries(JsonArray losses) {
        JsonObject dead = losses.object(0).array("failed-recoveries").object(0);
        assertThat(dead.string("fault")).isEqualTo("dead");
        assertThat(strings(dead.array("source-states")))
                .containsExactly("postcopy-recover-setup", "postcopy-recover", "postcopy-paused");
        JsonObject source = losses.object(0).array("failed-recoveries").object(1);
        assertThat(source.string("source-reason")).contains("migrate-pause");
        assertThat(source.number("kick-ms")).isPositive();
        JsonObject destination = losses.object(1).array("failed-recoveries").object(0);
        assertThat(destination.string("words")).contains("the destination is kicked out");
        JsonObject deadline = losses.object(1).array("failed-recoveries").object(1);
        assertThat(deadline.string("source-reason")).contains("nothing came for too long");
        assertThat(deadline.number("source-paused-ms")).isGreaterThanOrEqualTo(199);
        assertThat(deadline.number("destination-paused-ms")).isGreaterThanOrEqualTo(199);
        assertThat(deadline.has("kick-ms")).isFalse();
    }

    private void timeline(JsonArray timeline) {
        List<String> destination = new ArrayList<>();
        for (Json entry : timeline) {
            JsonObject object = (JsonObject) entry;
            if (object.has("status") && object.string("side").equals("destination")) {
                destination.add(object.string("status"));
            }
        }
        assertThat(destination)
                .containsExactly(
                        "setup",
                        "active",
                        "postcopy-active",
                        "postcopy-paused",
                        "postcopy-recover",
                        "postcopy-paused",
                        "postcopy-recover",
                        "postcopy-active",
                        "postcopy-paused",
                        "postcopy-recover",
                        "postcopy-paused",
                        "postcopy-recover",
                        "postcopy-paused",
                        "postcopy-recover",
                        "postcopy-active",
                        "completed");
    }

    @ParameterizedTest
    @CsvSource({
        "refuse, false",
        "blackhole, true",
        "cut-after=0, false",
        "cut-after=300, true",
        "cut-after=64K, false",
        "half-open, true"
    })
    void everyKindOfFaultIsRecoveredFrom(String fault, boolean preempt) throws Exception {
        Programs.Program demo =
                programs.start(small("--failures", "3", "--fault", fault, preempt ? "--preempt" : "--plain"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text).contains("recovery 3 failed as it was made to").contains("PASSED: ");
    }

    @Test
    void aPipeGetsOneLineForEachThing() throws Exception {
        Programs.Program demo = programs.start(small("--failures", "0"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text).doesNotContain("\033").isASCII();
        assertThat(text.lines()
                        .filter(line -> line.contains("postcopy-active ("))
                        .toList())
                .allMatch(line -> line.matches(" *\\d+\\.\\d{3}  (source|destination) +postcopy-active \\(.+\\)"))
                .hasSize(6);
        assertThat(text.lines().filter(line -> line.contains(" == ")).map(line -> line.substring(11)))
                .containsExactly(
                        "== Two processes, two relays",
                        "== Precopy: the guest runs at the source",
                        "== Postcopy: the guest runs at the destination and asks for the pages it misses",
                        "== The channel is lost: migrate-pause",
                        "== The channel is lost: cut",
                        "== To the end, at full speed",
                        "== The memory");
        assertThat(text.lines().toList().getLast()).startsWith("PASSED: ");
    }

    @Test
    void aTerminalGetsLanesAndColours() throws Exception {
        String words = String.join(" ", programs.command(small("--failures", "3")));
        Programs.Program demo = programs.start(
                List.of("script", "-qfec", "stty cols 100 rows 30; " + words, "/dev/null"),
                Map.of("TERM", "xterm", "LC_ALL", "C.UTF-8"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text)
                .contains("\033[32m● postcopy-active\033[0m")
                .contains("\033[J")
                .contains("█");
        assertThat(text.replaceAll("\033\\[[0-9;]*[A-Za-z]", "").lines())
                .as("nothing is folded")
                .allMatch(line -> line.length() < 100);
    }

    @Test
    void theTerminalsWishesAreRespected() throws Exception {
        String words = String.join(" ", programs.command(small("--failures", "0")));
        Programs.Program demo = programs.start(
                List.of("script", "-qfec", words, "/dev/null"),
                Map.of("TERM", "xterm", "NO_COLOR", "1", "LC_ALL", "C.UTF-8"));
        assertThat(demo.all()).contains("\033[J").doesNotContain("\033[3");
        Programs.Program dumb = programs.start(
                List.of("script", "-qfec", words, "/dev/null"), Map.of("TERM", "dumb", "LC_ALL", "C.UTF-8"));
        assertThat(dumb.all()).contains("PASSED").doesNotContain("\033");
    }

    @Test
    void aProcessThatDiesFailsTheDemoAndIsNamed() throws Exception {
        Programs.Program demo = programs.start(small());
        String processes = demo.line("destination ");
        long pid = Long.parseLong(processes.replaceAll(".*destination (\\d+),.*", "$1"));
        demo.line("migrate-start-postcopy");
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        String text = demo.all();
        assertThat(demo.code()).isEqualTo(1);
        assertThat(text)
                .contains("FAILED: the destination's process ended with exit code 137")
                .contains("said last:");
    }
}
