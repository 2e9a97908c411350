// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.lab.InProcesses;
import io.godwit.app.lab.Programs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** However the demo ends, in whatever phase: no process, no socket and no file is left. */
@Timeout(180)
class DemoKillIT extends InProcesses {
    private static final long PATIENCE_SECONDS = 20;

    @ParameterizedTest
    @CsvSource({
        "KILL, Two processes, 137",
        "KILL, == Postcopy, 137",
        "KILL, both ends hang, 137",
        "KILL, == To the end, 137",
        "INT, Two processes, 130",
        "INT, both ends hang, 130",
        "TERM, == Precopy, 143",
        "HUP, both ends hang, 129"
    })
    void nothingIsLeft(String signal, String phase, int code) throws Exception {
        Programs.Program demo = programs.start("demo", "--size", "32M", "--dwell", "300", "--deadline", "300");
        demo.line(phase);
        List<ProcessHandle> children = signal(demo, signal);
        assertThat(demo.code()).isEqualTo(code);
        await("the children end", () -> children.stream().noneMatch(ProcessHandle::isAlive));
        await("the folder is removed", () -> isEmpty(temp));
    }

    /** As a closed terminal does it: the whole process group, children and all, gets the signal. */
    @ParameterizedTest
    @CsvSource({"KILL, == Postcopy", "INT, both ends hang"})
    void theSignalMayBeForTheWholeGroup(String signal, String phase) throws Exception {
        List<String> words = new ArrayList<>(List.of("setsid"));
        words.addAll(programs.command("demo", "--size", "32M", "--dwell", "300"));
        Programs.Program demo = programs.start(words, Map.of());
        demo.line(phase);
        List<ProcessHandle> all = new ArrayList<>(demo.process.descendants().toList());
        assertThat(all).hasSize(2);
        all.add(demo.process.toHandle());
        signal(-demo.process.pid(), signal);
        await("all processes end", () -> all.stream().noneMatch(ProcessHandle::isAlive));
        await("the folder is removed", () -> isEmpty(temp));
    }

    /**
     * It gets the signal; returns the processes it had then. It stands still while they are listed: one that it starts in between would not be waited for, and would make the folder
     * after it was seen to be gone.
     */
    static List<ProcessHandle> signal(Programs.Program program, String name) throws Exception {
        long pid = program.process.pid();
        signal(pid, "STOP");
        await("it stands still", () -> stands(pid));
        List<ProcessHandle> children = program.process.descendants().toList();
        signal(pid, name);
        if (!name.equals("KILL")) {
            signal(pid, "CONT");
        }
        return children;
    }

    private static boolean stands(long pid) {
        try (var threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads.toList()) {
                if (!Files.readString(thread.resolve("status")).contains("State:\tT")) {
                    return false;
                }
            }
            return true;
        } catch (IOException | UncheckedIOException e) {
            return false; // a thread that ended between two looks; looked at again
        }
    }

    static void signal(long pid, String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, "--", "" + pid)
                .inheritIO()
                .start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    static boolean isEmpty(Path folder) {
        try (var files = Files.list(folder)) {
            return files.filter(file -> !file.getFileName().toString().startsWith("hsperfdata"))
                    .findAny()
                    .isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static void await(String what, BooleanSupplier met) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!met.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }
}
