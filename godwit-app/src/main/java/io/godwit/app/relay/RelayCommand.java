// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.ParentWatch;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.net.RelayEvent;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code godwit relay}: a relay as a program of its own. */
@Command(
        name = "relay",
        mixinStandardHelpOptions = true,
        customSynopsis = {
            "godwit relay [--fault=FAULTS] [--control=ADDRESS] [--stdin] [-q] LISTEN TARGET",
            "       godwit relay --send=ADDRESS COMMAND"
        },
        sortOptions = false,
        description = {
            "Copies bytes between those who connect to LISTEN and TARGET, and misbehaves on demand.",
            "Addresses are tcp:HOST:PORT and unix:PATH."
        },
        footerHeading = "%nFaults:%n",
        footer = {
            FaultPlan.HELP,
            "",
            "Examples:",
            "  godwit relay unix:/tmp/src.sock tcp:localhost:10000",
            "  godwit relay tcp::10000 unix:/tmp/dst.sock --control unix:/tmp/b.ctl",
            "  godwit relay --send unix:/tmp/b.ctl fault half-open",
            "  godwit relay --send unix:/tmp/b.ctl cut",
            "  godwit relay tcp::10000 tcp:host:4444 --fault both:delay=20,back:cut-after=64K"
        })
public final class RelayCommand implements Callable<Integer> {
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");
    private static final long HOOK_SECONDS = 2;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "LISTEN TARGET",
            hideParamSyntax = true,
            description = "Where to listen, and whom to connect to.",
            arity = "0..*")
    private List<String> words;

    @Option(names = "--fault", paramLabel = "FAULTS", description = "How to misbehave from the start.")
    private String fault = "none";

    @Option(
            names = "--control",
            paramLabel = "ADDRESS",
            description = "Take commands here, one a line ('help' lists them).")
    private @Nullable String control;

    @Option(names = "--stdin", description = "Take commands from standard input too.")
    private boolean stdin;

    @Option(
            names = "--send",
            paramLabel = "ADDRESS",
            description = "Send the rest of the line as a command to the relay whose --control this is.")
    private @Nullable String send;

    @Option(
            names = {"-q", "--quiet"},
            description = "Do not print what happens.")
    private boolean quiet;

    @Option(names = "--parent-death", hidden = true, description = "End when standard input ends.")
    private boolean parentDeath;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public RelayCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (send != null) {
            return send(parsed(Address::parse, send), out);
        }
        if (words == null || words.size() != 2) {
            throw new ParameterException(spec.commandLine(), "a relay needs two addresses, LISTEN and TARGET");
        }
        Address listen = parsed(Address::parse, words.get(0));
        Address target = parsed(Address::parse, words.get(1));
        FaultPlan plan = parsed(FaultPlan::parse, fault);
        @Nullable Address where = control == null ? null : parsed(Address::parse, control);
        try (Relay relay = Relay.start(listen, target, plan, event -> print(out, event))) {
            serve(relay, where, out);
            return 0;
        } catch (IOException failed) {
            return unavailable(String.valueOf(failed.getMessage()));
        }
    }

    /** Runs until it is told to end, and leaves no socket file behind however that comes about. */
    private void serve(Relay relay, @Nullable Address where, PrintWriter out) throws IOException {
        CompletableFuture<@Nullable Void> ending = new CompletableFuture<>();
        CompletableFuture<@Nullable Void> clean = new CompletableFuture<>();
        RelayControl commands = new RelayControl(relay, () -> ending.complete(null));
        try (ControlServer server = new ControlServer(where, commands::answer)) {
            var _ = ending.thenRun(server::end);
            relay.ended().whenComplete((_, _) -> ending.complete(null));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                ending.complete(null);
                // Not for ever: a defect must not keep a process that was told to end.
                clean.completeOnTimeout(null, HOOK_SECONDS, TimeUnit.SECONDS).join();
            }));
            if (stdin || parentDeath) {
                ParentWatch.start(System.in, line -> obey(line, commands, out), () -> {
                    if (parentDeath) {
                        ending.complete(null);
                    }
                });
            }
            server.run();
        } finally {
            relay.close();
            clean.complete(null);
        }
        relay.ended().toCompletableFuture().join();
    }

    private void obey(String line, RelayControl commands, PrintWriter out) {
        if (stdin && !line.isBlank()) {
            out.println(commands.answer(line));
        }
    }

    /** Sends one command to a relay that runs and prints its answer. */
    private int send(Address to, PrintWriter out) {
        String command = String.join(" ", words == null ? List.of() : words);
        if (command.isBlank()) {
            throw new ParameterException(
                    spec.commandLine(), "--send needs a command after the address, as in 'status'");
        }
        try (SocketChannel channel = SocketChannel.open(socket(to))) {
            ByteBuffer line = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                channel.write(line);
            }
            channel.shutdownOutput();
            String answer = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8).strip();
            out.println(answer);
            return answer.startsWith("error:") ? ExitCodes.FAILED : 0;
        } catch (IOException | UnresolvedAddressException failed) {
            return unavailable("no relay takes commands at " + to + ": " + failed.getMessage());
        }
    }

    private static SocketAddress socket(Address address) {
        return switch (address) {
            case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
            case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
        };
    }

    private <T> T parsed(Function<String, T> parser, String text) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), String.valueOf(wrong.getMessage()), wrong);
        }
    }

    private int unavailable(String sentence) {
        spec.commandLine().getErr().println("godwit: " + sentence);
        return ExitCodes.UNAVAILABLE;
    }

    private void print(PrintWriter out, RelayEvent event) {
        if (!quiet) {
            out.println(LocalTime.now(ZoneId.systemDefault()).format(CLOCK) + " " + event);
        }
    }
}
