// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import io.godwit.app.bench.BenchCommand;
import io.godwit.app.cli.LogSettings;
import io.godwit.app.demo.DemoCommand;
import io.godwit.app.park.ParkCommand;
import io.godwit.app.park.UnparkCommand;
import io.godwit.app.qmp.QmpCommand;
import io.godwit.app.relay.RelayCommand;
import io.godwit.app.run.RunCommand;
import io.godwit.app.sim.SimCommand;
import io.godwit.app.store.StoreCommand;
import io.godwit.app.torture.TortureCommand;
import io.godwit.sys.InheritedDescriptors;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The entry point: reads the command line and hands over to one command.
 *
 * <p>A user's mistake ends in one sentence and exit code 2; a command says so by throwing {@link ParameterException}. What
 * nobody expected ends in one sentence and exit code 70; its stack trace is shown only when it is asked for.
 */
@Command(
        name = "godwit",
        description = "Moves a running machine's memory from one host to another and never strands it.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {

    /** Every command of the program, in the order of the help: a new one is one more line here. */
    private static final List<Class<?>> COMMANDS = List.of(
            DemoCommand.class,
            RunCommand.class,
            ParkCommand.class,
            UnparkCommand.class,
            StoreCommand.class,
            QmpCommand.class,
            RelayCommand.class,
            SimCommand.class,
            TortureCommand.class,
            BenchCommand.class);

    /** Exit code of a user's mistake. */
    static final int MISTAKE = ExitCode.USAGE;

    /** Exit code of what nobody expected (EX_SOFTWARE of sysexits). */
    static final int UNEXPECTED = 70;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--stacktrace",
            scope = ScopeType.INHERIT,
            description = "Show where an unexpected error came from (also: GODWIT_DEBUG=1).")
    private boolean stacktrace;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        begin();
        System.exit(run(writer(System.out), writer(System.err), COMMANDS, args));
    }

    /** What has to come before anything else. */
    static void begin() {
        InheritedDescriptors.note();
        LogSettings.install();
    }

    /** As {@link #main}, with the streams and commands given; returns the exit code. */
    static int run(PrintWriter out, PrintWriter err, List<Class<?>> commands, String... args) {
        Main main = new Main();
        try {
            CommandLine line = new CommandLine(main);
            named(commands, args).forEach(line::addSubcommand);
            return line.setOut(out)
                    .setErr(err)
                    .setCaseInsensitiveEnumValuesAllowed(true)
                    .setParameterExceptionHandler((mistake, _) -> mistake(err, mistake))
                    .setExecutionExceptionHandler((surprise, _, _) -> main.unexpected(err, surprise))
                    .execute(args);
        } catch (RuntimeException | Error surprise) {
            // picocli lets errors pass, and its own exceptions about a command that is declared wrongly.
            return main.unexpected(err, surprise);
        }
    }

    /** The one command that the first word names, else all: of each that it is given picocli reads every option, and that takes longer than most of what is started. */
    private static List<Class<?>> named(List<Class<?>> commands, String... args) {
        List<Class<?>> named = commands.stream()
                .filter(command -> args.length > 0
                        && command.getAnnotation(Command.class).name().equals(args[0]))
                .toList();
        return named.isEmpty() ? commands : named;
    }

    static List<Class<?>> commands() {
        return COMMANDS;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    private static PrintWriter writer(PrintStream to) {
        return new PrintWriter(to, true, to.charset());
    }

    private static int mistake(PrintWriter err, ParameterException mistake) {
        String command = mistake.getCommandLine().getCommandSpec().qualifiedName();
        err.println("godwit: %s (try '%s --help')".formatted(sentence(mistake), command));
        return MISTAKE;
    }

    private static String sentence(ParameterException mistake) {
        CommandLine line = mistake.getCommandLine();
        if (mistake instanceof UnmatchedArgumentException unmatched
                && line.getParent() == null
                && !unmatched.isUnknownOption()) {
            return "there is no command '%s': there are %s"
                    .formatted(
                            unmatched.getUnmatched().getFirst(),
                            String.join(", ", line.getSubcommands().keySet()));
        }
        return oneLine(mistake);
    }

    private int unexpected(PrintWriter err, Throwable surprise) {
        if (stacktrace || "1".equals(System.getenv("GODWIT_DEBUG"))) {
            surprise.printStackTrace(err);
        }
        err.println("godwit: unexpected %s: %s (run with --stacktrace to see where)"
                .formatted(surprise.getClass().getSimpleName(), oneLine(surprise)));
        return UNEXPECTED;
    }

    private static String oneLine(Throwable thrown) {
        return String.valueOf(thrown.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
    }

    /** The version that the build wrote into the module. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            var module = Main.class.getModule().getDescriptor();
            return new String[] {"godwit " + module.rawVersion().orElse("(unknown version)")};
        }
    }
}
