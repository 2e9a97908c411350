// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.lab.InProcesses;
import io.godwit.app.lab.Programs;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code godwit torture} with real processes, for some seconds. */
@Timeout(120)
class TortureIT extends InProcesses {
    /** A postcopy whose recovery fails, and a park and unpark through a port that is closed, the latter killed in postcopy. */
    @ParameterizedTest
    @CsvSource({"4", "25"})
    void aRoundIsSurvived(String seed) throws Exception {
        Programs.Program torture =
                programs.start("torture", "--seed", seed, "--rounds", "1", "--size", "16M", "--json");
        JsonObject report = report(torture.all());
        assertThat(torture.code()).as(torture.all()).isZero();
        assertThat(report.int64("completed")).isEqualTo(1);
        assertThat(report.int64("faults")).isPositive();
    }

    /** Half a second is enough for no migration of that plan. */
    @Test
    void aStuckRoundIsReportedWithBothStates() throws Exception {
        Programs.Program torture =
                programs.start("torture", "--seed", "1", "--rounds", "1", "--size", "16M", "--deadline", "0.5");
        String all = torture.all();
        assertThat(torture.code()).as(all).isEqualTo(1);
        assertThat(all)
                .contains(Verdict.STUCK + ": seed 1: stuck", "the source is in ", "the destination is in ")
                .contains("plan: " + Plan.draw(1, 0, Plan.Means.RELAYS).words(), "godwit torture --seed 1 --rounds 1")
                .containsPattern("stuck +1");
    }

    @ParameterizedTest
    @CsvSource({"INT, 130", "KILL, 137"})
    void nothingIsLeft(String signal, int code) throws Exception {
        // Its plan begins with a process that is stopped for more than two seconds.
        Programs.Program torture = programs.start("torture", "--seed", "" + frozen(), "--rounds", "1", "--size", "16M");
        await(() -> torture.process.descendants().anyMatch(TortureIT::isStopped));
        List<ProcessHandle> children = torture.process.descendants().toList();
        Process kill = new ProcessBuilder("kill", "-" + signal, "" + torture.process.pid()).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(torture.code()).isEqualTo(code);
        await(() -> children.stream().noneMatch(ProcessHandle::isAlive));
        await(() -> {
            try {
                return left().isEmpty();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        if (signal.equals("INT")) {
            assertThat(torture.all()).contains("states never exercised", "nothing is left");
        }
    }

    private static long frozen() {
        for (long seed = 0; ; seed++) {
            List<Plan.Strike> strikes = Plan.draw(seed, 0, Plan.Means.RELAYS).strikes();
            if (!strikes.isEmpty()
                    && strikes.getFirst().blow() instanceof Blow.Freeze(var _, int millis)
                    && millis > 2_000) {
                return seed;
            }
        }
    }

    private static boolean isStopped(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc", "" + process.pid(), "stat"));
            return stat.substring(stat.lastIndexOf(')') + 1).startsWith(" T");
        } catch (IOException gone) {
            return false;
        }
    }

    private static void await(java.util.function.BooleanSupplier met) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!met.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private static JsonObject report(String lines) throws JsonSyntaxException {
        List<JsonObject> reports = new ArrayList<>();
        for (String line : lines.lines().toList()) {
            JsonObject object = (JsonObject) Json.parse(line);
            if (object.string("event").equals("report")) {
                reports.add(object.object("report"));
            }
        }
        assertThat(reports).hasSize(1);
        return reports.getFirst();
    }
}
