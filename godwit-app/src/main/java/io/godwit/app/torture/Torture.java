// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Round after round, until the time is over or they are all played, and what they came to. {@link #abandon} may be called from any thread. */
final class Torture {
    private static final long PROGRESS_SECONDS = 10;

    private final PrintWriter out;
    private final boolean json;
    private final boolean keep;
    private final Player player;
    private final Tally tally = new Tally();
    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private final long begun = System.nanoTime();
    private volatile boolean abandoned;

    /** Plays the round of one seed, to the end, whatever happens in it. */
    interface Player {
        Result play(long seed);

        /** What else the command line needs to have the same rounds, with a space before each word. */
        default String options() {
            return "";
        }
    }

    /** @param keep whether a failed round's logs stay in a folder */
    Torture(PrintWriter out, boolean json, boolean keep, Player player) {
        this.out = out;
        this.json = json;
        this.keep = keep;
        this.player = player;
    }

    /**
     * Plays rounds of the seeds from that one on.
     *
     * @param rounds at most so many
     * @param seconds none begins after so many
     * @return whether all were good
     */
    boolean run(long seed, long rounds, double seconds) {
        Thread.ofPlatform().daemon().name("godwit-progress").start(this::progress);
        for (long i = 0; i < rounds && seconds() < seconds && !abandoned; i++) {
            Result result = player.play(seed + i);
            if (!abandoned) {
                tell(result);
            }
        }
        if (!abandoned) {
            end();
        }
        return tally.good();
    }

    /** Shows what there is so far; rounds that end from now on are not counted. */
    void abandon() {
        abandoned = true;
        end();
    }

    private synchronized void tell(Result result) {
        tally.add(result);
        Path logs = keep ? kept(result) : null;
        if (json) {
            JsonObject.Builder line = JsonObject.builder()
                    .put("event", "round")
                    .put("seed", result.plan().seed())
                    .put("verdict", result.verdict().name().toLowerCase(Locale.ROOT))
                    .put("what", result.what())
                    .put("plan", result.plan().words())
                    .put("faults", result.hits().size())
                    .put("recoveries", result.recoveryMillis().size())
                    .put("failed-recoveries", result.failedRecoveries())
                    .put("seconds", result.seconds());
            if (logs != null) {
                line.put("logs", logs.toString());
            }
            out.println(line.build());
        } else if (!result.verdict().good()) {
            violation(result, logs);
        }
        out.flush();
    }

    private void violation(Result result, @Nullable Path logs) {
        out.println("%s: seed %d: %s".formatted(result.verdict(), result.plan().seed(), result.what()));
        out.println("  plan: " + result.plan().words());
        out.println("  the same plan again (its timing will differ): godwit torture --seed %d --rounds 1"
                        .formatted(result.plan().seed())
                + again(result.plan())
                + player.options());
        out.println(
                logs == null
                        ? "  add --keep to have what the processes and relays said, and the timeline, in a folder"
                        : "  what the processes and relays said, and the timeline, is in " + logs);
    }

    private static String again(Plan plan) {
        return plan.wanted() > 0 ? " --recoveries " + plan.wanted() : "";
    }

    private @Nullable Path kept(Result result) {
        List<String> logs = result.logs();
        if (logs == null) {
            return null;
        }
        try {
            Path folder =
                    Files.createTempDirectory("godwit-torture-" + result.plan().seed() + "-");
            Files.write(folder.resolve("round.log"), logs);
            return folder;
        } catch (IOException e) {
            out.println("the logs of seed " + result.plan().seed() + " could not be written: " + e);
            return null;
        }
    }

    private void progress() {
        while (!over.isDone()) {
            over.copy()
                    .completeOnTimeout(null, PROGRESS_SECONDS, TimeUnit.SECONDS)
                    .join();
            synchronized (this) {
                if (!over.isDone()) {
                    out.println(
                            json
                                    ? JsonObject.builder()
                                            .put("event", "progress")
                                            .put("seconds", seconds())
                                            .put("report", tally.toJson())
                                            .build()
                                            .toString()
                                    : tally.progress(seconds()));
                    out.flush();
                }
            }
        }
    }

    private synchronized void end() {
        if (!over.complete(null)) {
            return;
        }
        if (json) {
            out.println(JsonObject.builder()
                    .put("event", "report")
                    .put("seconds", seconds())
                    .put("report", tally.toJson())
                    .build());
        } else {
            out.println();
            out.print(tally.table());
            out.println();
            String verdict = !tally.good()
                    ? "FAILED: see the seeds above"
                    : abandoned
                            ? "ENDED before its time; until then no guest was lost, no round was stuck"
                            : "PASSED: no guest was lost, no round was stuck";
            out.println("%s (%.0f s)".formatted(verdict, seconds()));
        }
        out.flush();
    }

    private double seconds() {
        return (System.nanoTime() - begun) / 1e9;
    }
}
