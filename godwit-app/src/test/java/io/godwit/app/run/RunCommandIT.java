// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.peer.PeerIdentity;
import io.godwit.peer.QemuPeer;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpDisconnected;
import io.godwit.qmp.QmpError;
import io.godwit.qmp.QmpEvents;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** {@code godwit run} as its operator has it: a process, its signals, its QMP. */
@Timeout(180)
class RunCommandIT {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final List<Process> processes = new ArrayList<>();
    private final List<QmpClient> clients = new ArrayList<>();

    @AfterEach
    void end() {
        clients.forEach(QmpClient::close);
        processes.forEach(Process::destroyForcibly);
    }

    private Process start(String... arguments) throws IOException {
        String modules = System.getProperty("jdk.module.path", "");
        String path = modules + ":" + System.getProperty("java.class.path");
        List<String> command = new ArrayList<>(List.of(
                // Who was started in the background hands on signals that are ignored, and a JVM leaves those ignored.
                "env",
                "--default-signal=INT,HUP,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                path,
                "io.godwit.app.Main",
                "run",
                "--size",
                "16M"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        processes.add(process);
        return process;
    }

    private static JsonObject line(Process process, String event) throws Exception {
        for (String line = process.inputReader().readLine();
                line != null;
                line = process.inputReader().readLine()) {
            if (Json.parse(line) instanceof JsonObject object
                    && object.string("event").equals(event)) {
                return object;
            }
        }
        throw new AssertionError("it ended before it said '" + event + "'");
    }

    private QmpClient qmp(String name) throws Exception {
        QmpClient client = QmpClient.connect(new Address.Unix(folder.resolve(name)), DEADLINE);
        clients.add(client);
        return client;
    }

    private String unix(String name) {
        return "unix:" + folder.resolve(name);
    }

    private static JsonObject ask(QmpClient client, String command) throws Exception {
        return (JsonObject) client.execute(command, Json.object(), DEADLINE);
    }

    private static void signal(Process process, String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, "" + process.pid()).start();
        assertThat(kill.waitFor()).isZero();
    }

    private static int code(Process process) throws InterruptedException {
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).as("it ends").isTrue();
        return process.exitValue();
    }

    private void nothingIsLeft() throws IOException {
        try (var files = Files.list(folder)) {
            assertThat(files.toList()).isEmpty();
        }
    }

    @Test
    void aGuestRunsAndIsVerifiedThroughQmp() throws Exception {
        Process run = start("--json", "--qmp", unix("a"), "--qmp", "tcp:127.0.0.1:0", "--readers", "1");
        JsonArray served = line(run, "ready").array("qmp");
        assertThat(served.string(0)).isEqualTo(unix("a"));
        assertThat(served.string(1)).matches("tcp:127\\.0\\.0\\.1:[1-9]\\d*");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("a"))))
                .isEqualTo("rw-------");

        QmpClient client = qmp("a");
        long before = ask(client, "x-godwit-guest-stats").int64("pages-written");
        assertThat(refusal(client, "x-godwit-guest-verify")).contains("stop it first");
        try (QmpEvents events = client.events()) {
            ask(client, "stop");
            events.await(event -> event.name().equals("STOP"), DEADLINE);
        }
        JsonObject stats = ask(client, "x-godwit-guest-stats");
        assertThat(stats.int64("pages-written")).isGreaterThanOrEqualTo(before).isPositive();
        assertThat(stats.array("writers").size()).isEqualTo(2);
        assertThat(stats.int64("blocked-threads")).isZero();
        JsonObject verification = ask(client, "x-godwit-guest-verify");
        assertThat(verification.bool("ok")).isTrue();
        assertThat(verification.int64("pages")).isEqualTo((16 << 8) + 256 + 64);
        ask(client, "quit");
        assertThat(code(run)).isZero();
        nothingIsLeft();
    }

    /** So that park and unpark know whom they talk to. */
    @Test
    void itSaysWhatMachineItIsAsAQemuDoes() throws Exception {
        Process run = start("--json", "--qmp", unix("a"));
        line(run, "ready");
        try (QemuPeer peer = QemuPeer.connect(new Address.Unix(folder.resolve("a")), DEADLINE)) {
            assertThat(peer.identity().machine()).isEqualTo("godwit-churn");
            assertThat(peer.identity().memoryBytes()).isEqualTo(16 << 20);
            assertThat(peer.identity().uuid()).isEqualTo(PeerIdentity.NO_UUID);
        }
        QmpClient client = qmp("a");
        JsonObject other = JsonObject.builder()
                .put("path", "/machine")
                .put("property", "smm")
                .build();
        assertThatThrownBy(() -> client.execute("qom-get", other, DEADLINE))
                .hasMessageContaining("'smm' of '/machine' is not known here");
        ask(client, "stop");
        ask(client, "quit");
        assertThat(code(run)).isZero();
    }

    private static String refusal(QmpClient client, String command) throws Exception {
        try {
            client.execute(command, Json.object(), DEADLINE);
        } catch (QmpError e) {
            return String.valueOf(e.getMessage());
        }
        throw new AssertionError("'" + command + "' was obeyed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT", "HUP"})
    void aSignalEndsOneThatHoldsNothingOfValue(String signal) throws Exception {
        Process run = start("--json", "--qmp", unix("a"));
        line(run, "ready");
        signal(run, signal);
        assertThat(line(run, "shutdown").string("reason")).isEqualTo("host-signal");
        assertThat(code(run)).isZero();
        nothingIsLeft();
    }

    @Test
    void aSignalThatWouldLoseTheGuestIsRefusedOnce() throws Exception {
        Process destination =
                start("--json", "--qmp", unix("d"), "--incoming", unix("in"), "--set-capability", "postcopy-ram");
        assertThat(line(destination, "ready").array("incoming").string(0)).isEqualTo(unix("in"));
        Process source = start(
                "--json",
                "--qmp",
                unix("s"),
                "--set-capability",
                "postcopy-ram=on",
                "--set-parameter",
                "max-bandwidth=4000000",
                "--set-parameter",
                "max-postcopy-bandwidth=100000");
        line(source, "ready");
        QmpClient operator = qmp("s");
        operator.execute("migrate", JsonObject.builder().put("uri", unix("in")).build(), DEADLINE);
        while (!line(source, "status").string("status").equals("active")) {
            // setup comes before
        }
        ask(operator, "migrate-start-postcopy");
        while (!line(destination, "status").string("status").equals("postcopy-active")) {
            // active comes before
        }
        while (!line(source, "status").string("status").equals("postcopy-active")) {
            // device comes before
        }

        signal(source, "TERM");
        assertThat(line(source, "refused").string("reason"))
                .startsWith("SIGTERM is refused: this side (postcopy-active) holds");
        signal(destination, "INT");
        assertThat(line(destination, "refused").string("reason")).startsWith("SIGINT is refused: the guest lives here");
        signal(source, "TERM");
        assertThat(code(source)).isZero();
        signal(destination, "TERM");
        assertThat(code(destination)).isZero();
        nothingIsLeft();
    }

    @Test
    void itOutlivesItsParentUnlessItIsToldNotTo() throws Exception {
        Process free = start("--json", "--qmp", unix("free"), "--paused");
        Path own = folder.resolve("own");
        Process tied = start(
                "--json", "--qmp", "unix:" + own.resolve("q"), "--die-with-parent", "--private-folder", own.toString());
        line(free, "ready");
        line(tied, "ready");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(own)))
                .isEqualTo("rwx------");
        free.getOutputStream().close();
        tied.getOutputStream().close();
        assertThat(code(tied)).isZero();
        assertThat(own).doesNotExist();
        assertThat(ask(qmp("free"), "query-status").string("status")).isEqualTo("paused");
    }

    @Test
    void aFolderThatIsSomebodyElsesIsNotUsed() throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        Process run = start("--die-with-parent", "--private-folder", open.toString());
        assertThat(run.inputReader().readLine())
                .contains(open + " is there and is no folder that only its owner may use");
        assertThat(code(run)).isEqualTo(69);
        assertThat(open).exists();
    }

    @Test
    void anAddressThatIsTakenIsOneSentence() throws Exception {
        Process first = start("--json", "--qmp", unix("a"));
        line(first, "ready");
        Process second = start("--qmp", unix("a"));
        assertThat(code(second)).isEqualTo(69);
        assertThat(second.inputReader().lines().toList())
                .singleElement()
                .asString()
                .startsWith("godwit: cannot listen on " + unix("a") + ": somebody listens there already");
        assertThat(ask(qmp("a"), "query-status").bool("running")).isTrue();
        Process third = start("--incoming", unix("no/such/folder"));
        assertThat(code(third)).isEqualTo(69);
        assertThat(third.inputReader().readLine()).contains("no/such does not exist");
    }

    @Test
    void aStaleSocketIsReplaced() throws Exception {
        Process first = start("--json", "--qmp", unix("a"));
        line(first, "ready");
        QmpClient witness = qmp("a");
        first.destroyForcibly();
        assertThat(code(first)).isEqualTo(137);
        assertThat(folder.resolve("a")).exists();
        try (QmpEvents events = witness.events()) {
            events.next(DEADLINE);
            throw new AssertionError("a dead process told something");
        } catch (QmpDisconnected gone) {
            assertThat(gone).hasMessageContaining("gone");
        }
        Process second = start("--json", "--qmp", unix("a"));
        line(second, "ready");
        assertThat(ask(qmp("a"), "query-status").bool("running")).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "--size 5000; multiple of 4096",
                "--size much; 'much' is no size",
                "--hot 60 --cold 50; together up to 100",
                "--qmp /tmp/x; /tmp/x",
                "--qmp unix:; unix",
                "--incoming carrier:pigeon; carrier",
                "--incoming defer -S; contradict",
                "--guest vm; vm",
                "--backing paper; paper",
                "--set-capability rdma-pin-all; rdma-pin-all",
                "--set-capability nope; nope",
                "--set-capability events=maybe; NAME=on or NAME=off",
                "--set-parameter downtime-limit=never; downtime-limit",
                "--set-parameter nope=1; nope",
                "--tls-creds tls0; tls-creds names 'tls0', and there is no such object",
                "--object tls-creds-x509,id; 'id' is no KEY=VALUE",
                "--object id=tls0; it has no type; say tls-creds-x509,id=ID",
                "--object tls-creds-x509,dir=/; it has no id=ID",
                "--qmp tcp:0.0.0.0:0 --qmp-tls-creds no; --qmp-tls-creds names 'no', and there is no such --object",
                "--qmp-tls-creds a --object tls-creds-x509,id=a,dir=/no; there is no folder /no",
                "--object tls-creds-x509,id=a,id=b; id is there twice",
                "--object tls-creds-x509,id=a,dir=/,verify-peer=maybe; verify-peer is on or off, not 'maybe'",
                "--object tls-creds-x509,id=a,dir=/no,,where; there is no folder /no,where",
                "--writers 2000; 0 to 1024 writers"
            })
    void aMistakeIsNamed(String arguments, String sentence) {
        StringWriter err = new StringWriter();
        List<String> words = new ArrayList<>(List.of("--writers", "0"));
        words.addAll(List.of(arguments.split(" ", -1)));
        if (!arguments.contains("--size")) {
            words.addAll(List.of("--size", "16M"));
        }
        if (arguments.contains("--writers")) {
            words.subList(0, 2).clear();
        }
        int code = new CommandLine(new RunCommand())
                .setOut(new PrintWriter(new StringWriter(), true))
                .setErr(new PrintWriter(err, true))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(words.toArray(String[]::new));
        assertThat(code).as(err.toString()).isEqualTo(2);
        assertThat(err.toString()).contains(sentence);
    }
}
