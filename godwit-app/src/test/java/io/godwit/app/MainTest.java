// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class MainTest {
    private static final List<Class<?>> COMMANDS = Main.commands();
    private static final List<Class<?>> OURS = List.of(Fails.class, Breaks.class, Misdeclared.class);

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void helpGoesToStdout() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: godwit").contains("--stacktrace");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void helpHasAllCommandsAlsoIfOneIsNamedBehindIt() {
        assertThat(run(COMMANDS, "--help", "park")).isZero();
        assertThat(out.toString()).contains("  park ", "  unpark ", "  relay ");
    }

    @Test
    void theVersionIsTheModules() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("godwit \\d+\\.\\d+\\.\\d+\\S*\\R");
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @FieldSource("COMMANDS")
    void everyCommandHasHelpOfItsOwn(Class<?> command) {
        String name = command.getAnnotation(Command.class).name();
        assertThat(run(COMMANDS, name, "--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: godwit " + name);
    }

    /** A variable that is not set would park a VM in the working folder. */
    @Test
    void anEmptyFolderIsAMistakeAndSoAreLessThanNoRecoveries() {
        assertThat(run(COMMANDS, "park", "--store", "", "--incoming", "unix:/in"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--store is empty");
        assertThat(run(COMMANDS, "unpark", "", "--to", "unix:/to")).isEqualTo(2);
        assertThat(err.toString()).contains("FOLDER is empty");
        assertThat(run(COMMANDS, "park", "--store", "/vm", "--incoming", "unix:/in", "--recoveries", "-1"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--recoveries is -1: give 0 or more");
    }

    @Test
    void noCommandIsAMistake() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).isEqualToIgnoringNewLines("godwit: which command? (try 'godwit --help')");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aMistakeIsOneSentenceThatNamesItAndTheCommandsHelp() {
        assertThat(run("fails", "--frobnicate")).isEqualTo(2);
        assertThat(err.toString())
                .hasLineCount(1)
                .contains("--frobnicate")
                .contains("(try 'godwit fails --help')")
                .doesNotContain("\tat ");
    }

    @Test
    void anUnknownCommandIsToldWhichThereAre() {
        assertThat(run("frob", "--size", "1G")).isEqualTo(2);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines(
                        "godwit: there is no command 'frob': there are fails, breaks, misdeclared (try 'godwit --help')");
    }

    @Test
    void anUnexpectedExceptionIsOneSentence() {
        assertThat(run("fails")).isEqualTo(70);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("godwit: unexpected IllegalStateException: the loop ended twice"
                        + " (run with --stacktrace to see where)");
    }

    @Test
    void theStackTraceIsShownWhenItIsAskedFor() {
        assertThat(run("fails", "--stacktrace")).isEqualTo(70);
        assertThat(err.toString()).contains("\tat ").contains(Fails.class.getName());
    }

    @Test
    void anErrorIsAnUnexpectedOneToo() {
        assertThat(run("breaks")).isEqualTo(70);
        assertThat(err.toString()).hasLineCount(1).contains("AssertionError").contains("no page");
    }

    @Test
    void aCommandThatIsDeclaredWronglyIsAnUnexpectedOneToo() {
        assertThat(run(List.of(Misdeclared.class, Misdeclared.class), "misdeclared"))
                .isEqualTo(70);
        assertThat(err.toString()).hasLineCount(1).contains("misdeclared");
    }

    private int run(String... args) {
        return run(OURS, args);
    }

    private int run(List<Class<?>> commands, String... args) {
        return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), commands, args);
    }

    @Command(name = "fails")
    static class Fails implements Runnable {
        @Override
        public void run() {
            throw new IllegalStateException("the loop\n  ended twice");
        }
    }

    @Command(name = "breaks")
    static class Breaks implements Runnable {
        @Override
        public void run() {
            throw new AssertionError("no page");
        }
    }

    @Command(name = "misdeclared")
    static class Misdeclared implements Runnable {
        @Option(names = "--n")
        int n;

        @Override
        public void run() {}
    }
}
