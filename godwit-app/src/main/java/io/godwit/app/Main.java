// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The entry point: reads the command line and hands over to one command.
 *
 * <p>A user's mistake ends in one sentence and exit code 2. What nobody expected ends in one sentence and exit code 70;
 * its stack trace is shown only when it is asked for.
 */
@Command(
        name = "godwit",
        description = "Moves a running machine's memory from one host to another and never strands it.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {

    /** Every command of the program: a new one is one more line here. */
    private static final List<Class<?>> COMMANDS = List.of();

    static final int USAGE = ExitCode.USAGE;
    static final int INTERNAL = 70;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--stacktrace",
            scope = ScopeType.INHERIT,
            description = "Show the stack trace of an unexpected error (also: GODWIT_DEBUG=1).")
    private boolean stacktrace;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        Main main = new Main();
        CommandLine line = new CommandLine(main);
        COMMANDS.forEach(line::addSubcommand);
        return line.setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(mistake())
                .setExecutionExceptionHandler(main.surprise());
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Which command?");
    }

    private static IParameterExceptionHandler mistake() {
        return (mistake, _) -> {
            CommandSpec at = mistake.getCommandLine().getCommandSpec();
            say(at, "%s (try '%s --help')".formatted(message(mistake), at.qualifiedName()));
            return USAGE;
        };
    }

    private IExecutionExceptionHandler surprise() {
        return (surprise, at, _) -> {
            if (stacktrace || "1".equals(System.getenv("GODWIT_DEBUG"))) {
                surprise.printStackTrace(at.getErr());
            }
            String name = surprise.getClass().getSimpleName();
            say(at.getCommandSpec(), "unexpected %s: %s (--stacktrace shows where)".formatted(name, message(surprise)));
            return INTERNAL;
        };
    }

    private static void say(CommandSpec at, String sentence) {
        at.commandLine().getErr().println(at.root().name() + ": " + sentence);
    }

    private static String message(Throwable thrown) {
        return String.valueOf(thrown.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
    }

    /** The version that the build wrote into the module. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "godwit " + Main.class.getModule().getDescriptor().rawVersion().orElse("(unknown version)")
            };
        }
    }
}
