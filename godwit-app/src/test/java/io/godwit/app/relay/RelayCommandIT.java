// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The command as its user sees it; where a process must die for it, in a process of its own. */
@Timeout(60)
class RelayCommandIT {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void endAll() {
        processes.forEach(Process::destroyForcibly);
    }

    private int run(String... args) {
        return new CommandLine(new RelayCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    private Process start(String... args) throws IOException {
        String path = System.getProperty("jdk.module.path", "") + ":" + System.getProperty("java.class.path");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                path,
                "io.godwit.app.Main",
                "relay"));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        processes.add(process);
        return process;
    }

    private static String line(Process process, String containing) throws IOException {
        BufferedReader reader = process.inputReader();
        StringBuilder seen = new StringBuilder();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.contains(containing)) {
                return line;
            }
            seen.append(line).append('\n');
        }
        throw new AssertionError("it ended without '" + containing + "': " + seen);
    }

    private String unix(String name) {
        return "unix:" + folder.resolve(name);
    }

    @ParameterizedTest
    @CsvSource({
        "'', 'needs two addresses'",
        "'tcp:a:1', 'needs two addresses'",
        "'tcp:a:1 tcp:b:1 tcp:c:1', 'needs two addresses'",
        "'tcp:a tcp:b:1', 'the port is missing'",
        "'exec:cat tcp:b:1', 'here a socket is wanted'",
        "'tcp:a:1 tcp:b:1 --fault frob', '''frob'' is no fault'",
        "'tcp:a:1 tcp:b:1 --control here', 'names no transport'",
        "'--send unix:/tmp/x', '--send needs a command'"
    })
    void aMistakeIsExitCodeTwo(String args, String why) {
        assertThat(run(args.isEmpty() ? new String[0] : args.split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(why);
    }

    @Test
    void whatIsNotToBeHadIsExitCode69() {
        assertThat(run(unix("no/such"), unix("b"))).isEqualTo(69);
        assertThat(err.toString()).hasLineCount(1).startsWith("godwit: cannot listen on " + unix("no/such"));
    }

    @Test
    void anotherRelaysControlThatIsNotThereIsExitCode69() {
        assertThat(run("--send", unix("c"), "status")).isEqualTo(69);
        assertThat(err.toString()).hasLineCount(1).startsWith("godwit: no relay takes commands at " + unix("c"));
    }

    @Test
    void itIsCommandedOverItsSocketAndQuits() throws Exception {
        Process relay = start(unix("a"), unix("b"), "--control", unix("c"));
        line(relay, "listening on " + unix("a"));
        awaitControl();
        assertThat(run("--send", unix("c"), "fault", "half-open")).isZero();
        assertThat(out.toString()).isEqualToIgnoringNewLines("fault: back:swallow");
        assertThat(line(relay, "fault: ")).endsWith(" fault: back:swallow");
        assertThat(run("--send", unix("c"), "fault", "frob")).isEqualTo(1);

        assertThat(run("--send", unix("c"), "quit")).isZero();
        assertEnds(relay, 0);
    }

    @Test
    void whenItsParentIsGoneItGoesToo() throws Exception {
        Process relay = start(unix("a"), unix("b"), "--control", unix("c"), "--stdin", "--parent-death");
        line(relay, "listening on ");
        relay.outputWriter().write("status\n");
        relay.outputWriter().flush();
        assertThat(line(relay, "open=0")).startsWith("address=" + unix("a"));

        relay.outputWriter().close(); // what the kernel does with the pipe of a dead parent
        assertEnds(relay, 0);
    }

    @Test
    void aSignalLeavesNoFileBehind() throws Exception {
        Process relay = start(unix("a"), unix("b"), "--control", unix("c"));
        line(relay, "listening on ");
        awaitControl();
        relay.destroy();
        assertEnds(relay, 143);
    }

    @Test
    void theEndOfStandardInputMeansNothingUnlessItIsAskedFor() throws Exception {
        Process relay = start(unix("a"), unix("b"), "--control", unix("c"), "--stdin");
        relay.outputWriter().close();
        line(relay, "listening on ");
        awaitControl();
        assertThat(run("--send", unix("c"), "status")).isZero();
        assertThat(relay.isAlive()).isTrue();
    }

    private void assertEnds(Process relay, int code) throws InterruptedException {
        assertThat(relay.waitFor(10, TimeUnit.SECONDS)).as("it ends").isTrue();
        assertThat(relay.exitValue()).isEqualTo(code);
        assertThat(folder).isEmptyDirectory();
    }

    /** The control socket is made right after the relay's own. */
    private void awaitControl() throws IOException {
        long end = System.nanoTime() + 10_000_000_000L;
        while (System.nanoTime() < end) {
            try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("c")))) {
                probe.shutdownOutput();
                assertThat(Channels.newInputStream(probe).readAllBytes()).isEmpty();
                return;
            } catch (IOException notYet) {
                Thread.onSpinWait();
            }
        }
        throw new AssertionError("no control socket");
    }
}
