// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench;

import io.godwit.app.bench.qemu.BenchFailed;
import io.godwit.app.bench.qemu.QemuBench;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.vm.Emulator;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code godwit bench}: whole migrations, Godwit to Godwit, measured; medians with the least and the greatest. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs whole migrations of the churn guest between two endpoints over real sockets and prints medians.",
            "The memory is compared after every one: a figure counts only if nothing was lost.",
            "Figures of one machine and hour do not carry over to another: compare within one run.",
            "",
            "With --qemu: real QEMUs instead, that move a VM to each other, and to and from godwit park and unpark."
        },
        footerHeading = "%nScenarios (a beginning of the name is enough):%n",
        footer = {
            "  precopy-idle, precopy-busy, precopy-zero, postcopy-busy, postcopy-busy-preempt,",
            "  postcopy-limited, postcopy-limited-preempt, recovery",
            "With --qemu:",
            "  throughput, multifd, alone, time-to-run, latency, latency-limited",
            "",
            "Examples:",
            "  godwit bench",
            "  godwit bench precopy --size 4G --runs 5",
            "  godwit bench postcopy-limited recovery --transport tcp --json",
            "  godwit bench --qemu throughput latency",
            "  godwit bench --qemu=10.0 --place /var/lib/godwit"
        })
public final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SCENARIO", arity = "0..*", description = "Which ones; all if none is given.")
    private List<String> words = List.of();

    @Option(names = "--size", paramLabel = "BYTES", description = "Guest memory, with K, M or G (default: 1G).")
    private String size = "1G";

    @Option(
            names = "--runs",
            paramLabel = "N",
            description = "Runs of each scenario, after one to warm up (default: 3).")
    private int runs = 3;

    @Option(names = "--transport", paramLabel = "unix|tcp", description = "Over what (default: unix).")
    private String transport = "unix";

    @Option(names = "--seed", paramLabel = "N", description = "Chooses the guest's contents (default: 1).")
    private long seed = 1;

    @Option(
            names = "--qemu",
            arity = "0..1",
            paramLabel = "VERSION",
            fallbackValue = "",
            description = "Measure real QEMUs against park and unpark, those of that version (default: the newest"
                    + " in GODWIT_QEMU, where bin/install-qemu puts some, or on the PATH).")
    private @Nullable String qemu;

    @Option(
            names = "--place",
            paramLabel = "FOLDER",
            description = "With --qemu: where VMs are parked meanwhile, some GiB (default: the system's for temporary"
                    + " files).")
    private Path place = Path.of(System.getProperty("java.io.tmpdir"));

    @Option(
            names = "--prealloc",
            description = "With --qemu: a destination QEMU has its memory before it is measured, as with huge pages"
                    + " set aside; what getting it costs differs a lot from run to run on a host that is a VM itself.")
    private boolean prealloc;

    @Option(names = "--json", description = "One JSON object instead of a table.")
    private boolean json;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public BenchCommand() {}

    @Override
    public Integer call() {
        return qemu == null ? ours() : qemus(qemu);
    }

    private int qemus(String version) {
        long bytes = bytes();
        if (runs < 1 || bytes < QemuBench.SMALLEST || !words.stream().allMatch(QemuBench::knows)) {
            throw new ParameterException(
                    spec.commandLine(), "no such measurement, less than one run, or a guest of less than 32M");
        }
        PrintWriter err = spec.commandLine().getErr();
        try {
            Emulator program = Emulator.find(System.getenv(), version.isEmpty() ? null : version);
            QemuBench.Setting setting =
                    new QemuBench.Setting(program, bytes, runs, place, transport.equals("tcp"), prealloc, seed);
            QemuBench.run(setting, words, json, spec.commandLine().getOut(), err);
            return 0;
        } catch (Emulator.Missing e) {
            err.println("godwit: " + e.getMessage());
            return ExitCodes.UNAVAILABLE;
        } catch (IOException | BenchFailed e) {
            err.println("godwit: " + e.getMessage());
            return ExitCodes.FAILED;
        }
    }

    private int ours() {
        PrintWriter out = spec.commandLine().getOut();
        List<Scenario> chosen = Scenario.chosen(words);
        if (chosen.isEmpty() || runs < 1 || !(transport.equals("unix") || transport.equals("tcp"))) {
            throw new ParameterException(
                    spec.commandLine(),
                    "no such scenario, less than one run, or a transport that is neither unix nor tcp");
        }
        Scenario.Setting setting = new Scenario.Setting(bytes(), transport.equals("tcp"), seed);
        Map<String, Json> all = new LinkedHashMap<>();
        if (!json) {
            out.println("Godwit to Godwit, %s, %s guest, medians of %d (least .. greatest)"
                    .formatted(transport, size, runs));
        }
        for (Scenario scenario : chosen) {
            Map<String, double[]> figures = measure(scenario, setting);
            if (figures == null) {
                return ExitCodes.FAILED;
            }
            if (json) {
                all.put(scenario.word(), asJson(figures));
            } else {
                print(scenario, figures, out);
            }
        }
        if (json) {
            out.println(new JsonObject(all));
        }
        out.flush();
        return 0;
    }

    private @Nullable Map<String, double[]> measure(Scenario scenario, Scenario.Setting setting) {
        Map<String, List<Double>> collected = new LinkedHashMap<>();
        try {
            for (int run = 0; run <= runs; run++) {
                for (Map.Entry<String, Double> figure : scenario.run(setting).entrySet()) {
                    if (run > 0) {
                        collected
                                .computeIfAbsent(figure.getKey(), _ -> new ArrayList<>())
                                .add(figure.getValue());
                    }
                }
            }
        } catch (IOException | CommandRefused | IllegalStateException e) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("godwit: " + scenario.word() + " failed: " + e.getMessage());
            return null;
        }
        Map<String, double[]> figures = new LinkedHashMap<>();
        collected.forEach((name, values) -> {
            double[] sorted =
                    values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            figures.put(name, sorted);
        });
        return figures;
    }

    private static void print(Scenario scenario, Map<String, double[]> figures, PrintWriter out) {
        out.println();
        out.println(scenario.word() + ": " + scenario.title());
        figures.forEach((name, sorted) -> out.println("  %-32s %12s   (%s .. %s)"
                .formatted(name, show(median(sorted)), show(sorted[0]), show(sorted[sorted.length - 1]))));
        out.flush();
    }

    private static Json asJson(Map<String, double[]> figures) {
        Map<String, Json> members = new LinkedHashMap<>();
        figures.forEach((name, sorted) -> members.put(
                name,
                JsonObject.builder()
                        .put("median", median(sorted))
                        .put(
                                "runs",
                                new JsonArray(Arrays.stream(sorted)
                                        .<Json>mapToObj(Json::of)
                                        .toList()))
                        .build()));
        return new JsonObject(members);
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static String show(double value) {
        return String.format(
                Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.3f", value);
    }

    private long bytes() {
        try {
            long unit = switch (Character.toUpperCase(size.charAt(size.length() - 1))) {
                case 'K' -> 1L << 10;
                case 'M' -> 1L << 20;
                case 'G' -> 1L << 30;
                default -> 1;
            };
            return Math.multiplyExact(Long.parseLong(unit == 1 ? size : size.substring(0, size.length() - 1)), unit);
        } catch (ArithmeticException | IndexOutOfBoundsException | NumberFormatException e) {
            throw new ParameterException(
                    spec.commandLine(), "'" + size + "' is no size: give a number with K, M or G", e);
        }
    }
}
