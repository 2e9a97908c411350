// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import io.godwit.app.term.Amounts;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.ParentWatch;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.guest.ChurnOptions;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.sys.ByteSizes;
import io.godwit.sys.ParentProcess;
import io.godwit.sys.SystemCallException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
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
            names = "--qmp",
            paramLabel = "ADDRESS",
            description = "Serve QMP here: unix:PATH or tcp:127.0.0.1:PORT; may be given several times.")
    private List<String> qmp = List.of();

    @Option(
            names = "--incoming",
            paramLabel = "URI|defer",
            description =
                    "Wait for a guest at URI, or at what migrate-incoming will say; what it writes comes with it.")
    private @Nullable String incoming;

    @Option(
            names = {"-S", "--paused"},
            description = "Do not start the guest; QMP's cont does.")
    private boolean paused;

    @Option(
            names = "--set-capability",
            paramLabel = "NAME[=off]",
            description = "Switch a migration capability before anything begins.")
    private List<String> capabilities = List.of();

    @Option(
            names = "--set-parameter",
            paramLabel = "NAME=VALUE",
            description = "Set a migration parameter before anything begins.")
    private Map<String, String> parameters = Map.of();

    @Option(names = "--json", description = "Print what happens as JSON, one object a line.")
    private boolean json;

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

    private final CompletableFuture<Void> clean = new CompletableFuture<>();
    private volatile @Nullable Running running;
    private volatile @Nullable PrivateFolder privateFolder;
    private volatile boolean orphaned;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public RunCommand() {}

    @Override
    public Integer call() {
        List<Address> servers = qmp.stream().map(this::address).toList();
        Address listen = incoming == null || incoming.equals("defer") ? null : address(incoming);
        ChurnOptions options = options();
        if (paused && incoming != null) {
            throw new ParameterException(
                    spec.commandLine(), "--paused and --incoming contradict: a guest that comes goes on as it was");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (StatusLines lines = new StatusLines(out, json)) {
            tieToParent();
            Running made = switch (guest) {
                case CHURN ->
                    incoming == null ? Running.source(options, backing) : Running.destination(options.size(), backing);
            };
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

    private void serve(Running made, List<Address> servers, @Nullable Address listen, StatusLines lines)
            throws IOException, CommandRefused {
        made.endpoint().addListener(lines);
        configure(made);
        listenToSignals(made, lines);
        List<String> served = new ArrayList<>();
        for (Address server : servers) {
            served.add(made.serve(server).toString());
        }
        if (listen != null) {
            made.endpoint().migrateIncoming(listen);
        }
        if (incoming == null && !paused) {
            made.endpoint().cont();
        }
        List<String> awaited = made.endpoint().info().listening().stream()
                .map(Address::toString)
                .toList();
        lines.ready(served, awaited, words(served, awaited));
    }

    private String words(List<String> served, List<String> awaited) {
        String what = "a churn guest of " + ByteSizes.show(size)
                + (incoming == null ? paused ? " is stopped" : " runs" : " is awaited")
                + (awaited.isEmpty() ? "" : " at " + String.join(", ", awaited));
        return what + (served.isEmpty() ? "; no QMP" : "; QMP at " + String.join(", ", served));
    }

    private void configure(Running made) throws CommandRefused {
        List<Json> switches = new ArrayList<>();
        for (String word : capabilities) {
            int equals = word.indexOf('=');
            String state = equals < 0 ? "on" : word.substring(equals + 1);
            if (!state.equals("on") && !state.equals("off")) {
                throw new ParameterException(
                        spec.commandLine(), "'" + word + "': a capability is switched NAME=on or NAME=off");
            }
            switches.add(JsonObject.builder()
                    .put("capability", equals < 0 ? word : word.substring(0, equals))
                    .put("state", state.equals("on"))
                    .build());
        }
        if (!switches.isEmpty()) {
            obey(
                    made,
                    "migrate-set-capabilities",
                    JsonObject.builder()
                            .put("capabilities", Json.array(switches.toArray(Json[]::new)))
                            .build());
        }
        if (!parameters.isEmpty()) {
            JsonObject.Builder arguments = JsonObject.builder();
            parameters.forEach((name, value) -> arguments.put(name, value(value)));
            obey(made, "migrate-set-parameters", arguments.build());
        }
    }

    /** What QMP would refuse is a mistake on this command line. */
    private void obey(Running made, String command, JsonObject arguments) {
        try {
            made.execute(command, arguments);
        } catch (CommandRefused e) {
            end();
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static Json value(String text) {
        try {
            return Json.parse(text);
        } catch (JsonSyntaxException e) {
            return Json.of(text); // a word, as in zero-page-detection=none
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

    private ChurnOptions options() {
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

    private Address address(String text) {
        try {
            return Address.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
