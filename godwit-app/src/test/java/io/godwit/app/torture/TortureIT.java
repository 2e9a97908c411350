// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code godwit torture} with real processes, for some seconds. What the tests look at is played at the same time, since half of it is waiting. */
@Timeout(120)
class TortureIT {
    /** A postcopy whose recovery fails. */
    private static final String RECOVERED = "4";

    /** A park and an unpark through a port that is closed, the latter killed in postcopy. */
    private static final String PARKED = "25";

    /** A migration whose first packets are lost, and a link that is down for longer than the deadlines in postcopy: each end has to find that out by itself. */
    private static final String DOWN = "497";

    @TempDir
    private static Path temp;

    /** As many at a time as keep two cores busy; the longest one is the first. */
    private static final ExecutorService PLAYERS = Executors.newFixedThreadPool(3);

    private static Future<?> recovered;
    private static Future<?> parked;
    private static Future<?> down;
    private static Future<?> stuck;
    private static Future<?> interrupted;
    private static Future<?> killed;

    /** Why there are no network namespaces here; null: there are. */
    private static @Nullable String without;

    @BeforeAll
    static void begin() {
        try {
            PacketNetwork.check();
        } catch (IOException e) {
            without = e.getMessage();
        }
        parked = played(ground -> survived(ground, PARKED));
        down = played(ground -> {
            if (without == null) {
                survived(ground, DOWN, "--netns");
            }
        });
        recovered = played(ground -> survived(ground, RECOVERED));
        interrupted = played(ground -> nothingIsLeft(ground, "INT", 130, Plan.Means.RELAYS));
        Plan.Means means = without == null ? Plan.Means.PACKETS : Plan.Means.RELAYS;
        killed = played(ground -> nothingIsLeft(ground, "KILL", 137, means));
        stuck = played(TortureIT::stuck);
    }

    @AfterAll
    static void end() {
        PLAYERS.shutdownNow();
    }

    @Test
    void aFailedRecoveryIsSurvived() throws Throwable {
        ended(recovered);
    }

    @Test
    void parkAndUnparkAreSurvived() throws Throwable {
        ended(parked);
    }

    @Test
    void packetsThatVanishAndALinkThatIsDownAreSurvived() throws Throwable {
        assumeTrue(without == null, () -> "no network namespaces can be made here: " + without);
        ended(down);
    }

    @Test
    void aStuckRoundIsReportedWithBothStates() throws Throwable {
        ended(stuck);
    }

    @Test
    void nothingIsLeftAfterCtrlC() throws Throwable {
        ended(interrupted);
    }

    @Test
    void nothingIsLeftAfterKill() throws Throwable {
        ended(killed);
    }

    private static void survived(Ground ground, String seed, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("--seed", seed, "--rounds", "1", "--size", "16M", "--json"));
        words.addAll(List.of(more));
        Programs.Program torture = ground.torture(words);
        JsonObject report = report(torture.all());
        assertThat(torture.code()).as(torture.all()).isZero();
        assertThat(report.int64("completed")).isEqualTo(1);
        assertThat(report.int64("faults")).isPositive();
    }

    /** Half a second is enough for no migration of that plan. */
    private static void stuck(Ground ground) throws Exception {
        Programs.Program torture =
                ground.torture(List.of("--seed", "1", "--rounds", "1", "--size", "16M", "--deadline", "0.5"));
        String all = torture.all();
        assertThat(torture.code()).as(all).isEqualTo(1);
        assertThat(all)
                .contains(Verdict.STUCK + ": seed 1: stuck", "the source is in ", "the destination is in ")
                .contains("plan: " + Plan.draw(1, 0, Plan.Means.RELAYS).words(), "godwit torture --seed 1 --rounds 1")
                .containsPattern("stuck +1");
    }

    /** No process, so no namespace either, and no file. */
    private static void nothingIsLeft(Ground ground, String signal, int code, Plan.Means means) throws Exception {
        List<String> words = new ArrayList<>(List.of("--seed", "" + frozen(means), "--rounds", "1", "--size", "16M"));
        if (means == Plan.Means.PACKETS) {
            words.add("--netns");
        }
        Programs.Program torture = ground.torture(words);
        await(() -> torture.process.descendants().anyMatch(TortureIT::isStopped));
        List<ProcessHandle> children = torture.process.descendants().toList();
        Process kill = new ProcessBuilder("kill", "-" + signal, "" + torture.process.pid()).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(torture.code()).isEqualTo(code);
        await(() -> children.stream().noneMatch(ProcessHandle::isAlive));
        await(() -> ground.left().isEmpty());
        if (signal.equals("INT")) {
            assertThat(torture.all()).contains("states never exercised", "nothing is left");
        }
    }

    /** A plan that begins with a process that is stopped for more than two seconds, as early as can be. */
    private static long frozen(Plan.Means means) {
        for (long seed = 0; ; seed++) {
            List<Plan.Strike> strikes = Plan.draw(seed, 0, means).strikes();
            if (!strikes.isEmpty()
                    && strikes.getFirst().moment() == Moment.SETUP
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

    private static void await(BooleanSupplier met) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!met.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            // Each look reads all of /proc.
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
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

    /** What one torture has for itself: it shall leave nothing there. */
    private record Ground(Path folder, Programs programs) {
        /** How the JVM's own begin, one for each process of a user. */
        private static final String JVMS = "hsperfdata";

        Programs.Program torture(List<String> words) throws IOException {
            List<String> command = new ArrayList<>(List.of("torture"));
            command.addAll(words);
            return programs.start(command.toArray(String[]::new));
        }

        List<Path> left() {
            try (var files = Files.list(folder)) {
                return files.filter(file -> !file.getFileName().toString().startsWith(JVMS))
                        .toList();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private interface Play {
        void on(Ground ground) throws Exception;
    }

    private static Future<?> played(Play play) {
        return PLAYERS.submit(() -> {
            Path folder = Files.createTempDirectory(temp, "torture");
            try (Programs programs = new Programs(folder)) {
                Ground ground = new Ground(folder, programs);
                play.on(ground);
                assertThat(ground.left()).as("nothing is left").isEmpty();
            }
            return null;
        });
    }

    private static void ended(Future<?> play) throws Throwable {
        try {
            play.get();
        } catch (ExecutionException e) {
            throw e.getCause();
        }
    }
}
