// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.lab.InProcesses;
import io.godwit.app.lab.Programs;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.qemu.QemuVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code godwit demo --guest qemu} in processes of its own, with a small virtual machine. */
@Timeout(240)
class QemuDemoIT extends InProcesses {
    static String[] small(QemuVersion version, String... more) {
        version.need();
        List<String> words = new ArrayList<>(List.of("demo", "--guest", "qemu", "--qemu", version.series()));
        words.addAll(List.of("--accel", "tcg", "--size", "32M", "--dwell", "50", "--deadline", "200"));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    @Test
    void theDocumentTellsTheWholeStory() throws Exception {
        Programs.Program demo = programs.start(small(QemuVersion.V11_1, "--json"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        JsonObject document = (JsonObject) Json.parse(text);

        assertThat(document.string("verdict")).isEqualTo("passed");
        assertThat(document.object("settings").string("qemu")).isEqualTo("11.1");
        assertThat(document.string("accelerator")).isEqualTo("tcg");
        assertThat(document.object("memory").bool("ok")).isTrue();
        assertThat(document.object("memory").int64("pages")).isEqualTo(27 << 8);
        assertThat(document.int64("failed-recoveries")).isEqualTo(8);
        assertThat(document.number("runs-after-ms")).isPositive();

        JsonArray legs = document.array("legs");
        assertThat(legs.object(0).object("source").string("status")).isEqualTo("completed");
        assertThat(legs.object(1).object("destination").string("status")).isEqualTo("completed");
        assertThat(legs.object(1).object("source").object("ram").int64("postcopy-requests"))
                .as("it ran before its memory was there")
                .isPositive();

        JsonArray losses = document.array("losses");
        assertThat(losses.object(0).string("cause")).isEqualTo("park: migrate-pause");
        assertThat(losses.object(1).string("cause")).isEqualTo("unpark: cut");
        for (int i = 0; i < 2; i++) {
            recoveries(losses.object(i).array("failed-recoveries"));
        }
        timeline(document.array("timeline"));
    }

    private void recoveries(JsonArray failed) {
        assertThat(failed.object(0).string("fault")).isEqualTo("dead");
        assertThat(DemoIT.strings(failed.object(0).array("source-states")))
                .containsExactly("postcopy-recover-setup", "postcopy-recover", "postcopy-paused");
        assertThat(failed.object(1).string("words")).contains("the source is kicked out");
        assertThat(failed.object(1).number("kick-ms")).isPositive();
        assertThat(failed.object(2).string("words")).contains("the destination is kicked out");
        assertThat(failed.object(2).number("kick-ms")).isPositive();
        assertThat(failed.object(3).string("words")).contains("nobody says anything");
        assertThat(failed.object(3).number("source-paused-ms")).isGreaterThanOrEqualTo(199);
    }

    private void timeline(JsonArray timeline) {
        List<String> destination = new ArrayList<>();
        for (Json entry : timeline) {
            JsonObject object = (JsonObject) entry;
            if (object.string("side", "").equals("destination")) {
                destination.add(
                        object.has("status") ? object.string("status") : object.bool("guest-runs") ? "RUNS" : "STOPS");
            }
        }
        List<String> recoveries = List.of(
                "postcopy-paused",
                "postcopy-recover",
                "postcopy-paused",
                "postcopy-recover",
                "postcopy-paused",
                "postcopy-recover",
                "postcopy-paused",
                "postcopy-recover",
                "postcopy-active",
                "completed");
        List<String> expected = new ArrayList<>(List.of("setup", "active", "postcopy-active"));
        expected.addAll(recoveries);
        // QEMU 11.1 calls it postcopy-device until its devices are loaded.
        expected.addAll(List.of("setup", "active", "postcopy-device", "postcopy-active"));
        expected.addAll(recoveries);
        assertThat(destination.stream().filter(word -> !word.equals("RUNS") && !word.equals("STOPS")))
                .containsExactlyElementsOf(expected);
        assertThat(destination).containsOnlyOnce("RUNS").containsOnlyOnce("STOPS");
    }

    @ParameterizedTest
    @CsvSource({
        "V11_1, refuse, false",
        "V10_0, blackhole, true",
        "V11_1, cut-after=300, true",
        "V11_1, cut-after=1, false",
        "V10_0, half-open, true"
    })
    void everyKindOfFaultIsRecoveredFrom(QemuVersion version, String fault, boolean preempt) throws Exception {
        Programs.Program demo =
                programs.start(small(version, "--failures", "3", "--fault", fault, preempt ? "--preempt" : "--plain"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text)
                .contains("recovery 3 failed as it was made to")
                .contains("PASSED: the channel was lost 2 times, 6 recoveries failed");
    }

    @Test
    void aQemuThatCannotSurviveAFailedRecoveryIsSparedOne() throws Exception {
        Programs.Program demo = programs.start(small(QemuVersion.V7_2));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text)
                .contains("QEMU 7.2 does not survive a recovery that fails")
                .contains("PASSED: the channel was lost 2 times, 0 recoveries failed");
    }

    @Test
    void aTerminalGetsLanesWithTheirOwners() throws Exception {
        String words = String.join(" ", programs.command(small(QemuVersion.V11_1, "--failures", "0")));
        Programs.Program demo = programs.start(
                List.of("script", "-qfec", "stty cols 100 rows 30; " + words, "/dev/null"),
                Map.of("TERM", "xterm", "LC_ALL", "C.UTF-8"));
        String text = demo.all();
        assertThat(demo.code()).as(text).isZero();
        assertThat(text)
                .contains("source: QEMU 11.1")
                .contains("destination: QEMU 11.1")
                .contains("runs at the destination, QEMU 11.1")
                .contains("\033[32m● postcopy-active\033[0m");
        assertThat(text.replaceAll("\033\\[[0-9;]*[A-Za-z]", "").lines())
                .as("nothing is folded")
                .allMatch(line -> line.length() < 100);
    }

    @Test
    void aQemuThatDiesFailsTheDemoAndIsNamed() throws Exception {
        Programs.Program demo = programs.start(small(QemuVersion.V11_1));
        long pid = Long.parseLong(demo.line("source is QEMU").replaceAll(".*QEMU, process (\\d+) .*", "$1"));
        demo.line("migrate-start-postcopy");
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        String text = demo.all();
        assertThat(demo.code()).isEqualTo(1);
        assertThat(text)
                .contains("FAILED: the source QEMU's process ended with exit code 137")
                .contains("said last:");
    }
}
