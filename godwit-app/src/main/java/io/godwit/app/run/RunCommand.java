// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import io.godwit.app.term.Amounts;
import io.godwit.app.term.EndpointOptions;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.ParentWatch;
import io.godwit.app.term.StatusLines;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.guest.ChurnOptions;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.qmp.QmpAccess;
import io.godwit.sys.ByteSizes;
import io.godwit.sys.ParentProcess;
import io.godwit.sys.SystemCallException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit run}: an endpoint as a process of its own. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs a guest, or waits for one, and serves QMP for whoever migrates it.",
            "It ends by QMP's quit, SIGTERM or Ctrl-C. An end that would lose what exists nowhere else "
                    + "is refused once, with the reason, and obeyed the second time."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it was ended by quit or a signal",
            "2:wrong arguments",
            "69:an address is taken or cannot be used, or the memory cannot be had",
            "70:something that nobody expected"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit run --size 1G --qmp unix:/tmp/src.qmp",
            "  godwit run --size 1G --qmp unix:/tmp/dst.qmp --incoming defer",
            "  godwit run --size 1G --incoming tcp::10000 --set-capability postcopy-ram",
            "  godwit qmp unix:/tmp/src.qmp migrate uri=tcp:otherhost:10000"
        })
public final class RunCommand implements Callable<Integer> {
    /** How long the end may take when nobody is there any more to wait for it. */
    private static final long END_MILLIS = 1_500;

    /** What can be run. */
    enum GuestKind {
        CHURN
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--guest",
            paramLabel = "churn",
            description = "What to run: churn writes all the time, so that every lost or stale page shows (default).")
    private GuestKind guest = GuestKind.CHURN;

    @Option(
            names = "--size",
            paramLabel = "BYTES",
            converter = Amounts.Bytes.class,
            description = "Memory, with K, M or G; the same at both ends (default: 256M).")
    private Long size = 256L << 20;

    @Option(names = "--writers", paramLabel = "N", description = "Threads that write (default: 2).")
    private int writers = 2;

    @Option(
            names = "--rate",
            paramLabel = "RATE",
            converter = Amounts.PagesPerSecond.class,
            description =
                    "What all writers together write: pages per second, or bytes with K, M or G; 0: all they can (default: 20000).")
    private Long rate = 20_000L;

    @Option(names = "--readers", paramLabel = "N", description = "Threads that read cold pages (default: 0).")
    private int readers = 0;

    @Option(
            names = "--read-rate",
            paramLabel = "RATE",
            converter = Amounts.PagesPerSecond.class,
            description = "What all readers together read, as --rate (default: 0).")
    private Long readRate = 0L;

    @Option(names = "--hot", paramLabel = "PERCENT", description = "Share of pages written all the time (default: 50).")
    private int hot = 50;

    @Option(
            names = "--cold",
            paramLabel = "PERCENT",
            description = "Share of pages written once; the rest stays zero (default: 40).")
    private int cold = 40;

    @Option(names = "--seed", paramLabel = "N", description = "Chooses contents and order (default: 1).")
    private long seed = 1;

    @Option(
            names = "--backing",
            paramLabel = "anonymous|memfd",
            description = "What the memory is made of (default: anonymous).")
    private Backing backing = Backing.ANONYMOUS;

    @Option(
            names = "--incoming",
            paramLabel = "URI|defer",
            description =
                    "Wait for a guest at URI (tcp:, unix:, exec:, file: or fd:NUMBER), or at what migrate-incoming will say; what it writes comes with it.")
    private @Nullable String incoming;

    @Option(
            names = {"-S", "--paused"},
            description = "Do not start the guest; QMP's cont does.")
    private boolean paused;

    @Mixin
    private EndpointOptions options;

    @Option(
            names = "--die-with-parent",
            hidden = true,
            description = "End, whatever is lost, when standard input ends; leave the parent's session.")
    private boolean dieWithParent;

    @Option(
            names = "--private-folder",
            hidden = true,
            description = "Make this folder, and remove it and the sockets in it when standard input ends.")
    private @Nullable Path folder;

    @Option(
            names = "--store",
            hidden = true,
            paramLabel = "FOLDER",
            description =
                    "The guest is a VM's folder: what comes is parked there, what is there can leave, all by QMP.")
    private @Nullable Path store;

    private final CompletableFuture<Void> clean = new CompletableFuture<>();
    private volatile @Nullable Running running;
    private volatile @Nullable PrivateFolder privateFolder;
    private volatile boolean orphaned;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public RunCommand() {}

    @Override
    public Integer call() {
        List<QmpAccess> servers = options.servers();
        MigrationAddress listen = incoming == null || incoming.equals("defer") ? null : options.place(incoming);
        ChurnOptions churn = churn();
        if (store != null && incoming != null) {
            throw new ParameterException(spec.commandLine(), "--store and --incoming contradict: use migrate-incoming");
        }
        if (paused && incoming != null) {
            throw new ParameterException(
                    spec.commandLine(), "--paused and --incoming contradict: a guest that comes goes on as it was");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (StatusLines lines = new StatusLines(out, options.json())) {
            tieToParent();
            Running made = store == null ? embedded(churn) : Running.stored(store);
            running = made;
            Runtime.getRuntime().addShutdownHook(new Thread(this::endInTime, "godwit-end"));
            serve(made, servers, listen, lines);
            made.endpoint().ended().join();
            end();
            return 0;
        } catch (IOException | CommandRefused e) {
            end();
            spec.commandLine().getErr().println("godwit: " + e.getMessage());
            return ExitCodes.UNAVAILABLE;
        }
    }

    private Running embedded(ChurnOptions churn) throws IOException {
        return switch (guest) {
            case CHURN ->
                incoming == null ? Running.source(churn, backing) : Running.destination(churn.size(), backing);
        };
    }

    private void serve(Running made, List<QmpAccess> servers, @Nullable MigrationAddress listen, StatusLines lines)
            throws IOException, CommandRefused {
        made.endpoint().addListener(lines);
        configure(made);
        listenToSignals(made, lines);
        List<String> served = new ArrayList<>();
        for (QmpAccess server : servers) {
            served.add(made.serve(server).toString());
        }
        if (listen != null) {
            made.endpoint().migrateIncoming(listen);
        }
        if (store == null && incoming == null && !paused) {
            made.endpoint().cont();
        }
        List<String> awaited = made.endpoint().info().listening().stream()
                .map(Address::toString)
                .toList();
        lines.ready(served, awaited, words(served, awaited));
    }

    private String words(List<String> served, List<String> awaited) {
        if (store != null) {
            return "the VM's folder " + store + "; QMP at " + String.join(", ", served);
        }
        String what = "a churn guest of " + ByteSizes.show(size)
                + (incoming == null ? paused ? " is stopped" : " runs" : " is awaited")
                + (awaited.isEmpty() ? "" : " at " + String.join(", ", awaited));
        return what + (served.isEmpty() ? "; no QMP" : "; QMP at " + String.join(", ", served));
    }

    /** What QMP would refuse is a mistake on this command line. */
    private void configure(Running made) {
        try {
            options.configure(made.endpoint());
        } catch (ParameterException e) {
            end();
            throw e;
        }
    }

    private void listenToSignals(Running made, StatusLines lines) {
        // A terminal's Ctrl-C and hang-up are meant for the parent, which ends this process as it wants.
        List<String> names = dieWithParent ? List.of("TERM") : List.of("TERM", "INT", "HUP");
        for (String name : names) {
            Signals.register(name, () -> {
                try {
                    made.endpoint().quit("host-signal");
                } catch (CommandRefused e) {
                    lines.refused("SIG" + name + " is refused: " + e.getMessage());
                }
            });
        }
    }

    private void tieToParent() throws IOException {
        if (!dieWithParent) {
            return;
        }
        try {
            ParentProcess.leaveSession();
        } catch (SystemCallException e) {
            throw new IOException(e.getMessage(), e);
        }
        if (folder != null) {
            privateFolder = PrivateFolder.make(folder);
        }
        ParentWatch.start(System.in, _ -> {}, () -> {
            orphaned = true;
            end();
            System.exit(0);
        });
    }

    /** In the shutdown hook: whatever hangs, the process ends. */
    private void endInTime() {
        Thread.ofPlatform().daemon().name("godwit-ending").start(this::end);
        clean.completeOnTimeout(null, END_MILLIS, TimeUnit.MILLISECONDS).join();
    }

    private void end() {
        Running made = running;
        if (made != null) {
            made.close();
        }
        PrivateFolder mine = privateFolder;
        if (orphaned && mine != null) {
            try {
                mine.remove();
            } catch (IOException e) {
                spec.commandLine().getErr().println("godwit: cannot remove " + mine.path() + ": " + e);
            }
        }
        clean.complete(null);
    }

    private ChurnOptions churn() {
        try {
            return new ChurnOptions(
                    size,
                    writers,
                    rate,
                    readers,
                    readRate,
                    hot,
                    cold,
                    ChurnOptions.of(size).payloadBytes(),
                    seed);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
