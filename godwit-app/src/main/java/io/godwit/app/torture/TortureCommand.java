// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.term.Amounts;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.vm.Emulator;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit torture}: many migrations between real processes, and everything that can be done to them. */
@Command(
        name = "torture",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Migrates a guest that writes all the time between two processes, round after round, while a plan drawn "
                    + "from a seed is carried out: cuts at any byte, silence of one direction, slow links, refused "
                    + "connections, migrate-pause at either end, migrate_cancel, SIGSTOP of either process, kill -9 "
                    + "in precopy, and in postcopy of a process whose guest is in a store, 'park' and 'unpark' too; in recoveries too. Then the network heals, and an operator tries until the "
                    + "migration is completed. Every page is compared, and exactly one guest may run.",
            "",
            "  source - unix socket - relay (a) - tcp - relay (b) - unix socket - destination",
            "",
            "Faults of the network are made by the relays; a path that is silent in one direction is a relay that "
                    + "swallows it. With --netns they are made of packets, between two network namespaces:",
            "",
            "  source - tcp - veth = veth - tcp - destination",
            "",
            "one direction loses all packets, or some per cent of them; a link is down and comes up again; it is narrow; "
                    + "one end's kernel resets the connections; kill -9 while the link is down."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no guest was lost and no round was stuck",
            "1:one was; its seed, its plan and what to look at are shown",
            "2:wrong arguments",
            "69:the QEMU that was asked for is not here, or --netns cannot be",
            "130:Ctrl-C; the table so far is shown, and no process, socket or file is left"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit torture",
            "  godwit torture --minutes 10 --keep",
            "  godwit torture --seed 4711 --rounds 1 --keep",
            "  godwit torture --recoveries 1000 --rounds 1",
            "  godwit torture --guest qemu=7.2 --minutes 5",
            "  sudo godwit torture --netns --minutes 5",
            "  godwit torture --seconds 30 --json | jq 'select(.event == \"report\")'"
        })
public final class TortureCommand implements Callable<Integer> {
    private static final long MOST_QEMU_SIZE = 1L << 30;
    private static final long LEAST_SIZE = 16L << 20;
    private static final long USUAL_SECONDS = 60;
    private static final int MOST_RECOVERIES = 1_000;
    private static final double SECONDS_PER_RECOVERY = 6;

    @Spec
    private CommandSpec spec;

    @Option(names = "--minutes", paramLabel = "N", description = "For how long rounds are begun.")
    private @Nullable Double minutes;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "The same in seconds (default: 60, if no --rounds are given).")
    private @Nullable Double seconds;

    @Option(names = "--rounds", paramLabel = "N", description = "At most so many rounds.")
    private @Nullable Long rounds;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The first round's plan, the next one's is of the next number (default: drawn, and printed)."
                    + " The same seed gives the same plan; how long each thing takes differs from run to run.")
    private @Nullable Long seed;

    @Option(
            names = "--recoveries",
            paramLabel = "N",
            description =
                    "So many blows in a row, up to 1000, while each migration is in postcopy, each followed by a recovery if it"
                            + " lost the channel (default: 0 to 4, as the seed says).")
    private int recoveries;

    @Option(
            names = "--guest",
            paramLabel = "churn|qemu[=VERSION]",
            description = {
                "churn: Godwit's own guest; one round in eight by 'park' and 'unpark' (default).",
                "qemu: a virtual machine of a real QEMU, as 10.0 (default: the newest that is here), parked and unparked in"
                        + " each round. With 7.2, which a recovery's broken connection kills, none is broken there."
            })
    private String guest = "churn";

    @Option(
            names = "--netns",
            description =
                    "The ends are in network namespaces of their own, with a veth pair between them. Needs iproute2, and root or a kernel"
                            + " that lets others have user namespaces. The namespaces have no names and end with their processes.")
    private boolean netns;

    @Option(
            names = "--size",
            paramLabel = "BYTES",
            converter = Amounts.Bytes.class,
            description = "The guest's memory, with K, M or G, at least 16M (default: 32M).")
    private Long size = 32L << 20;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            description = "When a round counts as stuck (default: 120, and 6 more for each of --recoveries).")
    private @Nullable Double deadline;

    @Option(names = "--json", description = "One JSON object a line: each round, the progress, the report.")
    private boolean json;

    @Option(names = "--keep", description = "Leave a failed round's logs in a folder and say where.")
    private boolean keep;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public TortureCommand() {}

    @Override
    public Integer call() {
        check();
        Emulator emulator;
        try {
            emulator = emulator();
        } catch (Emulator.Missing e) {
            return unavailable(String.valueOf(e.getMessage()));
        }
        if (netns) {
            try {
                PacketNetwork.check();
            } catch (IOException e) {
                return unavailable(
                        "--netns cannot be: " + e.getMessage()
                                + ". It takes root (or a kernel that lets others have user namespaces), iproute2, and a kernel with veth, clsact, tbf and cls_bpf");
            }
        }
        long most = rounds == null ? Long.MAX_VALUE : rounds;
        double time = minutes != null
                ? minutes * 60
                : seconds != null ? seconds : rounds == null ? USUAL_SECONDS : Double.MAX_VALUE;
        long first = seed == null ? System.nanoTime() & 0xffff_ffffL : seed;
        double patience = deadline != null ? deadline : 2 * USUAL_SECONDS + SECONDS_PER_RECOVERY * recoveries;
        PrintWriter out = spec.commandLine().getOut();
        if (!json) {
            out.println("the first seed is " + first + "; the network's faults are made "
                    + (netns ? "of packets, between network namespaces" : "by relays"));
            out.flush();
        }
        ProcessRounds player = new ProcessRounds(size, recoveries, patience, emulator, netns);
        Torture torture = new Torture(out, json, keep, player);
        AtomicBoolean ended = new AtomicBoolean();
        // Ctrl-C and signals: the hook ends what a round began, while this thread may still be in the middle of it.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            if (!ended.get()) {
                                torture.abandon();
                                player.close();
                                spec.commandLine().getErr().println("godwit: ended before its time, nothing is left");
                            }
                        },
                        "godwit-end"));
        boolean good = torture.run(first, most, time);
        ended.set(true);
        return good ? 0 : ExitCodes.FAILED;
    }

    private int unavailable(String sentence) {
        spec.commandLine().getErr().println("godwit: " + sentence);
        return ExitCodes.UNAVAILABLE;
    }

    /** The one that was asked for; null for Godwit's own guest. */
    private @Nullable Emulator emulator() throws Emulator.Missing {
        if (guest.equals("churn")) {
            return null;
        }
        require(
                guest.equals("qemu") || guest.startsWith("qemu="),
                "--guest is churn, qemu or qemu=VERSION, got '" + guest + "'");
        require(recoveries == 0, "--recoveries is for the churn guest: leave out --guest qemu");
        require(size <= MOST_QEMU_SIZE, "a QEMU's guest has at most 1 GiB here, got " + ByteSizes.show(size));
        return Emulator.find(System.getenv(), guest.equals("qemu") ? null : guest.substring("qemu=".length()));
    }

    private void check() {
        require(minutes == null || seconds == null, "give --minutes or --seconds");
        require(minutes == null || minutes > 0, "--minutes is more than 0, got " + minutes);
        require(seconds == null || seconds > 0, "--seconds is more than 0, got " + seconds);
        require(rounds == null || rounds >= 1, "--rounds is at least 1, got " + rounds);
        require(deadline == null || deadline > 0, "--deadline is more than 0, got " + deadline);
        require(
                recoveries >= 0 && recoveries <= MOST_RECOVERIES,
                "--recoveries is 0 to " + MOST_RECOVERIES + ", got " + recoveries);
        require(
                size >= LEAST_SIZE && size % 4096 == 0,
                "the guest has at least 16 MiB and whole pages of 4096 bytes, got " + ByteSizes.show(size));
    }

    private void require(boolean met, String sentence) {
        if (!met) {
            throw new ParameterException(spec.commandLine(), sentence);
        }
    }
}
