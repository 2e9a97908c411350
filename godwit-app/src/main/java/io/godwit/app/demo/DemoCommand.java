// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.term.Amounts;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.Screen;
import io.godwit.app.vm.Emulator;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit demo}: the main job on one machine, from start to verdict. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Migrates a guest that writes all the time from one process to another, breaks the network "
                    + "in postcopy, lets recoveries fail in every way, recovers, and proves that the memory is "
                    + "right:",
            "",
            "  source - unix socket - relay (a) - tcp - relay (b) - unix socket - destination",
            "",
            "With --guest qemu the outer ends are real QEMUs: a virtual machine that writes all the time is parked in a folder"
                    + " and unparked into another QEMU, over the same relays, and recoveries fail on both ways.",
            "",
            "Every step is a QMP command to one of the two. On a terminal it shows both ends' states as "
                    + "they change; a pipe, or TERM=dumb, gets one line for each thing that happens. NO_COLOR is "
                    + "respected."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything went as it must, and every page holds what the guest wrote last",
            "1:a state was not reached in time, or the memory is not right; the processes' last lines are shown",
            "2:wrong arguments",
            "69:there is no such QEMU here",
            "130:Ctrl-C; as with any other end, kill -9 included, no process, socket or file is left"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit demo",
            "  godwit demo --failures 20 --size 1G",
            "  godwit demo --fault cut-after=100 --fault blackhole --preempt",
            "  godwit demo --guest qemu",
            "  godwit demo --guest qemu --qemu 10.0 --failures 8 --seed 7",
            "  godwit demo --json | jq .losses"
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int TAIL = 15;
    private static final long LEAST_DEADLINE = 50;
    private static final long MOST_DEADLINE = 10_000;
    private static final long MOST_DWELL = 60_000;
    private static final int MOST_FAILURES = 10_000;

    private static final long MOST_VM = 2047L << 20;

    /** No recovery and no fault of the demo may lead there. */
    private static final Set<String> NEVER = Set.of("failed", "cancelled", "uncertain");

    /** Who writes all the time. */
    enum GuestKind {
        CHURN,
        QEMU
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--guest",
            paramLabel = "churn|qemu",
            description =
                    "churn: Godwit's own, from one Godwit to another (default); qemu: a virtual machine, from a QEMU"
                            + " into a folder and on to another QEMU.")
    private GuestKind guest = GuestKind.CHURN;

    @Option(
            names = "--qemu",
            paramLabel = "VERSION",
            description = "Which QEMU, as 10.0 (default: the newest that is here; 'bin/install-qemu' gets some)."
                    + " 7.2 cannot survive a recovery that fails, so with it none is made to.")
    private @Nullable String qemu;

    @Option(
            names = "--accel",
            paramLabel = "auto|kvm|tcg",
            description = "What runs the virtual machines (default: auto, which is kvm if that works).")
    private Virtualization.Accelerator accel = Virtualization.Accelerator.AUTO;

    @Option(
            names = "--size",
            paramLabel = "BYTES",
            converter = Amounts.Bytes.class,
            description = "The guest's memory, with K, M or G, at least 16M (default: 256M).")
    private Long size = 256L << 20;

    @Option(
            names = "--rate",
            paramLabel = "RATE",
            converter = Amounts.PagesPerSecond.class,
            description =
                    "What the guest's writers write: pages per second, or bytes with K, M or G; 0: all they can (default: 20000).")
    private Long rate = 20_000L;

    @Option(names = "--writers", paramLabel = "N", description = "Threads of the guest that write (default: 2).")
    private int writers = 2;

    @Option(
            names = "--failures",
            paramLabel = "N",
            description =
                    "Recoveries that are made to fail (default: 4): relay (b) is dead; then half-open, where first"
                            + " the source, then the destination is kicked out by migrate-pause, then nobody says anything;"
                            + " more are drawn by the seed. With --guest qemu so many on each of the two ways.")
    private int failures = 4;

    @Option(
            names = "--fault",
            paramLabel = "FAULT",
            description =
                    "How they fail instead: refuse, blackhole, cut-after=BYTES or half-open; if given several"
                            + " times, in turn. To a QEMU from 10.1 on no cut comes before its fourth byte, which would cost it its guest.")
    private List<String> faults = List.of();

    @Option(names = "--seed", paramLabel = "N", description = "Chooses contents and faults (default: 1).")
    private long seed = 1;

    @Option(
            names = "--deadline",
            paramLabel = "MS",
            description =
                    "The handshake's deadline where it is to end a recovery (default: 500; the product's is 10000).")
    private long deadline = 500;

    @Option(
            names = "--dwell",
            paramLabel = "MS",
            description = "For how long each phase is left alone to be looked at (default: 1000).")
    private long dwell = 1000;

    @Option(names = "--preempt", description = "Requested pages have a channel of their own (postcopy-preempt).")
    private boolean preempt;

    @Option(
            names = "--json",
            description = "Print one JSON document at the end instead: verdict, settings, losses with their failed"
                    + " recoveries, both ends' last query-migrate, guest, memory, timeline. Times are milliseconds.")
    private boolean json;

    @Option(names = "--plain", description = "Plain lines on a terminal, too.")
    private boolean plain;

    @Option(names = "--keep", description = "Leave the processes' and relays' logs in a folder and say where.")
    private boolean keep;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public DemoCommand() {}

    @Override
    public Integer call() {
        Settings settings;
        try {
            settings = settings();
        } catch (Emulator.Missing e) {
            spec.commandLine().getErr().println("godwit: " + e.getMessage());
            return ExitCodes.UNAVAILABLE;
        }
        Board board = new Board(System::nanoTime, NEVER);
        Showing showing = new Showing(board, view(board));
        Report report = new Report(settings);
        Virtualization virtual = settings.qemu();
        Play lab = virtual == null
                ? new Scenario(settings, board, report)
                : new QemuScenario(settings, virtual, board, report);
        AtomicBoolean ended = new AtomicBoolean();
        // Ctrl-C and signals: the hook ends what the lab began, while this thread may still be in the middle of it.
        Thread hook = new Thread(
                () -> {
                    showing.abandon();
                    lab.close();
                    if (!ended.get()) {
                        spec.commandLine().getErr().println("godwit: the demo was ended, nothing is left of it");
                    }
                },
                "godwit-end");
        Runtime.getRuntime().addShutdownHook(hook);
        try (lab) {
            play(lab, report);
        }
        ended.set(!showing.isAbandoned());
        if (!report.passed()) {
            report.tails = lab.tails(TAIL);
        }
        report.seconds = board.now() / 1e9;
        showing.end(report);
        if (keep) {
            keepLogs(board, lab);
        }
        return report.passed() ? 0 : ExitCodes.FAILED;
    }

    private static void play(Play play, Report report) {
        try {
            play.run();
        } catch (LabFailed | IOException e) {
            // A process that died is the cause, whatever was noticed first.
            String dead = play.dead();
            report.failure = dead == null ? String.valueOf(e.getMessage()) : dead;
        }
    }

    private View view(Board board) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            return new View.Document(out, board);
        }
        if (plain || !Screen.usable(System.getenv())) {
            return new PlainView(out);
        }
        return new LiveView(
                board,
                out,
                Screen.colour(System.getenv()),
                Screen.unicode(System.out.charset()),
                guest == GuestKind.QEMU);
    }

    private void keepLogs(Board board, Play lab) {
        PrintWriter err = spec.commandLine().getErr();
        try {
            Path folder = Files.createTempDirectory("godwit-demo-logs-");
            Files.write(folder.resolve("processes-and-relays.log"), lab.tails(Integer.MAX_VALUE));
            Files.write(
                    folder.resolve("timeline.log"),
                    board.entriesFrom(0).stream().map(PlainView::line).toList());
            err.println("godwit: the logs are in " + folder);
        } catch (IOException e) {
            err.println("godwit: the logs could not be written: " + e);
        }
    }

    private Settings settings() throws Emulator.Missing {
        require(
                size >= Settings.LEAST_SIZE && size % 4096 == 0,
                "the demo's guest has at least 16 MiB and whole pages of 4096 bytes, got " + ByteSizes.show(size));
        boolean virtual = guest == GuestKind.QEMU;
        for (String option : virtual ? List.of("--rate", "--writers") : List.of("--qemu", "--accel")) {
            require(
                    !spec.commandLine().getParseResult().hasMatchedOption(option),
                    option + " is not for " + (virtual ? "--guest qemu" : "the churn guest: add --guest qemu"));
        }
        require(
                !virtual || size <= MOST_VM,
                "the demo's virtual machine has at most 2047 MiB, got " + ByteSizes.show(size));
        require(writers >= 0 && writers <= 64, "the demo's guest has 0 to 64 writers, got " + writers);
        require(rate == 0 || rate >= writers, "the rate is 0 or at least a page per second and writer, got " + rate);
        require(failures >= 0 && failures <= MOST_FAILURES, "failures are 0 to " + MOST_FAILURES + ", got " + failures);
        require(
                deadline >= LEAST_DEADLINE && deadline <= MOST_DEADLINE,
                "the deadline is " + LEAST_DEADLINE + " to " + MOST_DEADLINE + " ms, got " + deadline);
        require(dwell >= 0 && dwell <= MOST_DWELL, "the dwell is 0 to " + MOST_DWELL + " ms, got " + dwell);
        require(!(json && plain), "--json and --plain contradict");
        List<Fault> wanted = new ArrayList<>();
        for (String word : faults) {
            try {
                wanted.add(Fault.parse(word));
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
        }
        return new Settings(
                size,
                writers,
                rate,
                failures,
                wanted,
                seed,
                deadline,
                dwell,
                preempt,
                virtual ? new Virtualization(Emulator.find(System.getenv(), qemu), accel.toTry()) : null);
    }

    private void require(boolean met, String sentence) {
        if (!met) {
            throw new ParameterException(spec.commandLine(), sentence);
        }
    }
}
