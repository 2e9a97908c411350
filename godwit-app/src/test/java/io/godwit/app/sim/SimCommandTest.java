// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class SimCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void manyMigrationsEndInATable() {
        assertThat(run("--runs 40 --first 1 --threads 2")).isZero();
        assertThat(out.toString())
                .contains("godwit sim --first 1 --runs 40")
                .containsPattern("migrations +40")
                .containsPattern("rules broken +0")
                .contains("cut after a byte")
                .containsPattern("process killed +[1-9]")
                .containsPattern("restarts of a process with a store +[1-9]")
                .contains("postcopy-recover ")
                .contains("migrations a second");
    }

    @Test
    void theSameSeedsComeToTheSameWhateverTheThreads() {
        assertThat(run("--runs 30 --first 7 --threads 1 --json")).isZero();
        String alone = figures();
        out.getBuffer().setLength(0);
        assertThat(run("--runs 30 --first 7 --threads 3 --json")).isZero();
        assertThat(figures()).isEqualTo(alone).contains("\"moved\"");
    }

    private String figures() {
        return out.toString().replaceAll("\"(threads|seconds)\": ?[0-9.]+", "");
    }

    @Test
    void oneIsTold() {
        assertThat(run("--seed 11 --trace")).isZero();
        assertThat(out.toString())
                .contains("operator")
                .contains("Header")
                .contains("setup -> active")
                .contains("the network heals")
                .containsPattern("seed 11: (MOVED|STAYED)");
    }

    @Test
    void nothingIsLeftToChance() throws JsonSyntaxException {
        assertThat(run("--exhaustive --failures 0 --every 997 --json")).isZero();
        JsonObject found = (JsonObject) Json.parse(out.toString());
        assertThat(found.bool("good")).isTrue();
        assertThat(found.array("worlds").size()).isEqualTo(5);
        assertThat(found.array("cuts").size()).isGreaterThan(40);
    }

    @Test
    void itsTablesAreForPeople() {
        assertThat(run("--exhaustive --failures 0 --every 4001")).isZero();
        assertThat(out.toString())
                .containsPattern("recovery with preempt +0 +[0-9]+")
                .contains("second recovery")
                .contains("no rule is broken");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "--runs 0; at least one run",
                "--threads 0; threads are 1 to",
                "--trace; say which, with --seed",
                "--seed 1 --runs 3; --seed is one run",
                "--exhaustive --first 3; draws nothing",
                "--exhaustive --failures 4; failures are 0 to 3",
                "--exhaustive --every 0; at least 1",
                "--every 3; for --exhaustive",
                "--seed x; 'x'",
                "--frobnicate; --frobnicate"
            })
    void aMistakeIsNamedAndNothingIsStarted(String arguments, String sentence) {
        assertThat(run(arguments)).isEqualTo(2);
        assertThat(err.toString()).contains(sentence);
    }

    private int run(String arguments) {
        return new CommandLine(new SimCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.split(" ", -1));
    }
}
