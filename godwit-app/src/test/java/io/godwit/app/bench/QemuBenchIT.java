// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.term.ExitCodes;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.qemu.QemuVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The measurements against real QEMUs do what they say with a guest so small that the figures mean nothing; that nothing was lost they check themselves. */
@Timeout(300)
class QemuBenchIT {
    @TempDir
    private Path folder = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int bench(String... words) {
        return new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(words);
    }

    @Test
    void everyContenderHasItsFiguresAndNothingIsLeftBehind() throws Exception {
        String version = QemuVersion.V10_0.need().series();
        int code = bench(
                "--qemu=" + version,
                "throughput",
                "multifd",
                "alone",
                "latency",
                "--size",
                "64M",
                "--runs",
                "1",
                "--json",
                "--place",
                folder.toString());

        assertThat(err.toString()).doesNotContain("godwit:");
        assertThat(code).isZero();
        JsonObject all = (JsonObject) Json.parse(out.toString());
        for (String contender : new String[] {"QEMU -> QEMU", "QEMU -> park", "unpark -> QEMU"}) {
            for (String part : new String[] {"throughput", "multifd"}) {
                assertThat(median(all, part, "until confirmed, MB/s", contender))
                        .as("%s, %s", part, contender)
                        .isPositive();
            }
        }
        for (String contender : new String[] {"QEMU", "unpark, park"}) {
            double taken = median(all, "alone", "takes, MB/s", contender);
            assertThat(median(all, "alone", "has all of it, MB/s", contender))
                    .as(contender)
                    .isPositive()
                    .isLessThanOrEqualTo(taken);
            assertThat(median(all, "alone", "sends, MB/s", contender))
                    .as(contender)
                    .isPositive();
        }
        for (String part : new String[] {"latency", "latency-limited"}) {
            for (String contender : new String[] {"QEMU", "QEMU, preempt", "unpark", "unpark, preempt"}) {
                assertThat(median(all, part, "p99 us", contender))
                        .as("%s, %s", part, contender)
                        .isGreaterThanOrEqualTo(median(all, part, "p50 us", contender))
                        .isPositive();
                assertThat(median(all, part, "of them by a channel of their own", contender) > 0)
                        .as("%s, %s", part, contender)
                        .isEqualTo(contender.endsWith("preempt"));
            }
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    private static double median(JsonObject all, String part, String figure, String contender) {
        JsonObject measured = all.object(part).object(figure).object(contender);
        return Double.parseDouble(Objects.requireNonNull(measured.members().get("median"), "median")
                .toString());
    }

    /** Nobody writes to what lies below the noise, so only who asked for it before has it. */
    @Test
    void aDestinationMayHaveItsMemoryBefore() throws Exception {
        assertThat(peak("--prealloc")).isGreaterThan(peak() + 8);
    }

    private double peak(String... more) throws Exception {
        out.getBuffer().setLength(0);
        String version = "--qemu=" + QemuVersion.V7_2.need().series();
        List<String> words = new ArrayList<>(
                List.of(version, "throughput", "--size", "64M", "--runs", "1", "--json", "--place", folder.toString()));
        words.addAll(List.of(more));
        assertThat(bench(words.toArray(String[]::new))).as("%s", err).isZero();
        return median((JsonObject) Json.parse(out.toString()), "throughput", "receiver's peak, MiB", "QEMU -> QEMU");
    }

    @Test
    void aQemuThatIsNotThereIsMissedInASentence() {
        assertThat(bench("--qemu=0.9")).isEqualTo(ExitCodes.UNAVAILABLE);
        assertThat(err.toString())
                .startsWith("godwit: there is no QEMU ")
                .contains("run bin/install-qemu")
                .contains("GODWIT_QEMU");
    }
}
