// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import io.godwit.app.term.ExitCodes;
import io.godwit.sim.Outcome;
import io.godwit.sim.SimOptions;
import io.godwit.sim.Simulation;
import io.godwit.sim.Summary;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit sim}: the claim that no schedule of failures strands a guest, for anyone to run. */
@Command(
        name = "sim",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Simulates whole migrations, both ends in one thread: the real state machines, the real page path, the "
                    + "real bytes; clock, network and disk are simulated. Anything may go wrong at any moment, in "
                    + "recoveries too; then the network heals and one sensible operator goes on until the guest is in "
                    + "one place, whole. The rules are looked at after every event.",
            "",
            "In some of them one end has a store: its process is killed and started again, its machine loses power "
                    + "and with it what was not synced, its disk is full, out of reach or fails to sync.",
            "",
            "With --exhaustive it leaves nothing to chance: every state that the two state machines, the messages "
                    + "between them and everybody's choices can reach in a small world, and a cut and a silence after "
                    + "every byte of small migrations and recoveries. That takes minutes."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no rule is broken",
            "1:a rule is broken; the line that replays it is shown",
            "2:wrong arguments"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit sim",
            "  godwit sim --runs 1000000 --first 1 --json",
            "  godwit sim --seed 4711 --trace",
            "  godwit sim --exhaustive --failures 1 --every 16"
        })
public final class SimCommand implements Callable<Integer> {
    private static final int MOST_THREADS = 1024;

    @Spec
    private CommandSpec spec;

    @Option(names = "--runs", paramLabel = "N", description = "How many migrations (default: 10000).")
    private @Nullable Long runs;

    @Option(
            names = "--first",
            paramLabel = "SEED",
            description = "The first one's seed, the others' follow (default: drawn, and printed).")
    private @Nullable Long first;

    @Option(names = "--seed", paramLabel = "SEED", description = "One migration only: this one.")
    private @Nullable Long seed;

    @Option(
            names = "--trace",
            description = "Tell it, with --seed: every event, message, fault, every change of both ends' states.")
    private boolean trace;

    @Option(names = "--exhaustive", description = "Every state of small worlds, every byte of small migrations.")
    private boolean exhaustive;

    @Option(
            names = "--failures",
            paramLabel = "N",
            description =
                    "How many failures a small world may have, 0 to 3 (default: 2, with a preempt channel from the"
                            + " beginning on 1). Each one more takes ten to twenty times as long, and as much memory.")
    private @Nullable Integer failures;

    @Option(
            names = "--every",
            paramLabel = "N",
            description = "With --exhaustive: break after every N-th byte only (default: 1).")
    private int every = 1;

    @Option(names = "--threads", paramLabel = "N", description = "How many at a time (default: one for each core).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "One JSON object instead of a table.")
    private boolean json;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public SimCommand() {}

    @Override
    public Integer call() {
        require(threads >= 1 && threads <= MOST_THREADS, "threads are 1 to " + MOST_THREADS + ", got " + threads);
        require(runs == null || runs >= 1, "at least one run, got " + runs);
        require(every >= 1, "--every is at least 1, got " + every);
        require(failures == null || (failures >= 0 && failures <= 3), "failures are 0 to 3, got " + failures);
        require(!trace || seed != null, "--trace tells one run: say which, with --seed");
        require(seed == null || (runs == null && first == null), "--seed is one run: without --runs and --first");
        boolean random = runs != null || first != null || seed != null;
        require(!exhaustive || !random, "--exhaustive draws nothing: without --runs, --first and --seed");
        require(exhaustive || (failures == null && every == 1), "--failures and --every are for --exhaustive");
        PrintWriter out = spec.commandLine().getOut();
        boolean good;
        if (exhaustive) {
            good = new Exhaustive(out, json, threads, failures, every).run();
        } else {
            good = seed != null ? one(out, seed) : many(out);
        }
        out.flush();
        return good ? 0 : ExitCodes.FAILED;
    }

    private boolean one(PrintWriter out, long which) {
        SimOptions options = trace && !json ? SimOptions.DEFAULT.withTrace(out::println) : SimOptions.DEFAULT;
        Outcome outcome = Simulation.run(which, options);
        if (json) {
            out.println(SimJson.of(outcome));
        } else {
            out.println(outcome.line());
        }
        return outcome.good();
    }

    private boolean many(PrintWriter out) {
        long count = runs == null ? 10_000 : runs;
        long from = first == null ? System.nanoTime() : first;
        if (!json) {
            out.println("%d migrations, again with: godwit sim --first %d --runs %d".formatted(count, from, count));
            out.flush();
        }
        Progress progress = new Progress(out, !json);
        Summary summary = new Summary();
        Object lock = new Object();
        long begun = System.nanoTime();
        Crew crew = new Crew(threads, count, number -> {
            Outcome outcome = Simulation.run(from + number, SimOptions.DEFAULT);
            synchronized (lock) {
                summary.add(outcome);
            }
        });
        crew.await(() -> progress.show(() -> {
            synchronized (lock) {
                return "%d of %d, %d rules broken".formatted(summary.runs(), count, summary.violations());
            }
        }));
        progress.clear();
        double seconds = (System.nanoTime() - begun) / 1e9;
        if (json) {
            out.println(SimJson.of(summary, from, threads, seconds));
        } else {
            summary.table().forEach(out::println);
            out.println("%-34s %12.1f".formatted("seconds", seconds));
            out.println("%-34s %12.0f".formatted("migrations a second", count / seconds));
        }
        return summary.violations() == 0;
    }

    private void require(boolean met, String sentence) {
        if (!met) {
            throw new ParameterException(spec.commandLine(), sentence);
        }
    }
}
