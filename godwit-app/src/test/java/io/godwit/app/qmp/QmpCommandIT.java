// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.TlsCredentials;
import io.godwit.qemu.Authority;
import io.godwit.qmp.ArgumentType;
import io.godwit.qmp.CommandTable;
import io.godwit.qmp.QmpAccess;
import io.godwit.qmp.QmpServer;
import io.godwit.qmp.QmpVersion;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class QmpCommandIT {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private QmpServer server;
    private String address;

    @BeforeEach
    void serve() throws Exception {
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT)
                .command("echo")
                .oob()
                .mayTake("a", ArgumentType.ANY)
                .mayTake("b", ArgumentType.ANY)
                .runs(arguments -> arguments)
                .command("go")
                .runs(_ -> {
                    for (String status : List.of("setup", "active", "completed")) {
                        server.broadcast("MIGRATION", status(status));
                    }
                    server.broadcast("STOP", Json.object());
                    return Json.object();
                })
                .build();
        server = QmpServer.listen(new Address.Unix(folder.resolve("q")), table);
        address = server.address().toString();
    }

    @Test
    void speaksTlsToAServerThatWantsIt() throws Exception {
        Path dir = new Authority("test CA").folder(folder.resolve("pki"));
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT)
                .command("echo")
                .mayTake("a", ArgumentType.ANY)
                .runs(arguments -> arguments)
                .build();
        QmpAccess access = new QmpAccess(
                new Address.Tcp("0.0.0.0", 0), TlsCredentials.load(dir, TlsCredentials.Role.SERVER, true), false);
        try (QmpServer secured = QmpServer.listen(access, table, InstantSource.system(), QmpServer.Limits.DEFAULT)) {
            String there = "tcp:127.0.0.1:" + ((Address.Tcp) secured.address()).port();
            String object = "tls-creds-x509,id=tls0,endpoint=client,dir=" + dir;
            assertThat(run("--object", object, "--tls-creds", "tls0", "--json", there, "echo", "a=x"))
                    .isZero();
            assertThat(out.toString()).isEqualToNormalizingNewlines("{\"a\":\"x\"}\n");
            assertThat(run("--object", object, "--tls-creds=tls0", "--tls-hostname=other", there, "echo"))
                    .isEqualTo(69);
            assertThat(err.toString()).contains("its certificate is for another host");
            assertThat(run("--object", object, "--tls-creds", "tls1", there, "echo"))
                    .isEqualTo(2);
            assertThat(err.toString()).contains("--tls-creds names 'tls1', and there is no such --object");
            assertThat(run("--object", object, "--tls-creds", "tls0", address, "echo"))
                    .isEqualTo(2);
            assertThat(err.toString()).contains("over tcp only");
            assertThat(run("--object", object, there, "echo")).isEqualTo(2);
            assertThat(err.toString()).contains("--object is of no use without --tls-creds");
            assertThat(run("--tls-hostname", "x", there, "echo")).isEqualTo(2);
            assertThat(err.toString()).contains("of no use without --tls-creds");
        }
    }

    private static JsonObject status(String status) {
        return JsonObject.builder().put("status", status).build();
    }

    @AfterEach
    void end() {
        server.close();
    }

    private int run(String... args) {
        return new CommandLine(new QmpCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    @Test
    void printsTheAnswerForPeopleOrForPrograms() {
        assertThat(run(address, "echo", "a=1")).isZero();
        assertThat(out.toString()).isEqualToNormalizingNewlines("{\n    \"a\": 1\n}\n");
        assertThat(run("--json", address, "echo", "a=x")).isZero();
        assertThat(out.toString()).endsWith("{\"a\":\"x\"}" + System.lineSeparator());
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a=5                       | {\"a\":5}",
                "a=-18446744073709551615   | {\"a\":-18446744073709551615}",
                "a=007                     | {\"a\":\"007\"}",
                "a=1.5                     | {\"a\":\"1.5\"}",
                "a:=1.5                    | {\"a\":1.5}",
                "a=true                    | {\"a\":true}",
                "a=tcp:h:1=2               | {\"a\":\"tcp:h:1=2\"}",
                "a=                        | {\"a\":\"\"}",
                "a:=[{\"k\":null}]         | {\"a\":[{\"k\":null}]}",
                "{\"a\":[1],\"b\":2}       | {\"a\":[1],\"b\":2}",
            })
    void readsArguments(String word, String answer) {
        assertThat(run("--json", "--oob", address, "echo", word)).isZero();
        assertThat(out.toString().strip()).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a | 'a' is no argument: use NAME=VALUE",
                "=1 | '=1' is no argument: use NAME=VALUE",
                "a:=[ | 'a' must be JSON; at byte 1",
                "{\"a\" | the arguments must be JSON; at byte 4",
            })
    void namesAnArgumentThatIsNone(String word, String sentence) {
        assertThat(run(address, "echo", word)).isEqualTo(2);
        assertThat(err.toString()).contains(sentence);
    }

    @Test
    void anArgumentTwiceIsAMistake() {
        assertThat(run(address, "echo", "a=1", "a=2")).isEqualTo(2);
        assertThat(err.toString()).contains("'a'");
    }

    @Test
    void aRefusalIsOneSentenceAndExitCode1() {
        assertThat(run(address, "echo", "c=1")).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("godwit: 'echo' has no argument 'c'")
                .hasLineCount(1);
        assertThat(run("--json", address, "nope")).isEqualTo(1);
        assertThat(err.toString()).contains("godwit: CommandNotFound: there is no command 'nope'");
        assertThat(out.toString()).contains("{\"error\":{\"class\":\"CommandNotFound\"");
    }

    @Test
    void nobodyThereIsExitCode69() {
        assertThat(run("unix:" + folder.resolve("none"), "echo")).isEqualTo(69);
        assertThat(err.toString())
                .startsWith("godwit: cannot connect to 'unix:" + folder.resolve("none"))
                .hasLineCount(1);
    }

    @Test
    void mistakesAreExitCode2() {
        assertThat(run(address)).isEqualTo(2);
        assertThat(err.toString()).contains("which command?");
        assertThat(run("nonsense", "echo")).isEqualTo(2);
        assertThat(run("--timeout=0", address, "echo")).isEqualTo(2);
        assertThat(run("--wait=:x", address, "echo")).isEqualTo(2);
    }

    @Test
    void waitsForAnEventThatTheCommandBringsAbout() {
        assertThat(run("--wait", "MIGRATION:completed", "--timeout", "20", address, "go"))
                .isZero();
        assertThat(out.toString())
                .matches("(?s)\\{\\}\\R\\d\\d:\\d\\d:\\d\\d\\.\\d{3} MIGRATION \\{\"status\": \"completed\"}\\R");
    }

    @Test
    void printsAllEventsUntilTheOneThatIsWaitedFor() {
        assertThat(run("--json", "--events", "--wait", "STOP", "--timeout", "20", address, "go"))
                .isZero();
        assertThat(out.toString().lines())
                .hasSize(5)
                .anySatisfy(line -> assertThat(line).contains("\"status\":\"active\""))
                .last()
                .asString()
                .contains("\"event\":\"STOP\"");
    }

    @Test
    void anEventThatDoesNotComeIsExitCode1() {
        assertThat(run("--wait", "RESUME", "--timeout", "1.5", address)).isEqualTo(1);
        assertThat(err.toString()).contains("RESUME did not come within 1500 ms");
        assertThat(run("--events", "--timeout", "1.5", address))
                .as("nothing in particular was waited for")
                .isZero();
    }

    @Test
    void aServerThatGoesWhileItIsWatchedIsExitCode69() throws Exception {
        CompletableFuture<Integer> code = CompletableFuture.supplyAsync(() -> run("--events", address));
        while (server.clients() == 0) {
            Thread.onSpinWait();
        }
        server.close();

        assertThat(code.get(20, TimeUnit.SECONDS)).isEqualTo(69);
        assertThat(err.toString()).hasLineCount(1);
    }

    @Test
    void hasHelpWithExamples() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("Examples:").contains("--wait MIGRATION:completed");
    }
}
