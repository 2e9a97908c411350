// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class DemoCommandTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "--size 8M; at least 16 MiB",
                "--size 20000001; whole pages",
                "--size x; 'x' is no size",
                "--failures -1; failures are 0 to",
                "--failures 1.5; --failures",
                "--fault stall; 'stall' is no fault of this demo",
                "--fault cut-after=x; 'x' is no number",
                "--deadline 10; 50 to 10000",
                "--writers 65; 0 to 64 writers",
                "--rate fast; 'fast' is no rate",
                "--rate 1 --writers 2; at least a page per second and writer",
                "--dwell -1; the dwell is 0 to",
                "--json --plain; contradict",
                "--guest qemu --rate 100; --rate is not for --guest qemu",
                "--guest qemu --writers 1; --writers is not for --guest qemu",
                "--qemu 10.0; --qemu is not for the churn guest",
                "--accel tcg; --accel is not for the churn guest",
                "--guest qemu --size 2G; at most 2047 MiB",
                "--guest toaster; --guest",
                "--frobnicate; --frobnicate"
            })
    void aMistakeIsNamedAndNothingIsStarted(String arguments, String sentence) {
        StringWriter err = new StringWriter();
        int code = new CommandLine(new DemoCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setErr(new PrintWriter(err, true))
                .execute(arguments.split(" ", -1));
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(sentence);
    }

    @Test
    void aQemuThatIsNotHereIsNamedWithWhatToDo() {
        StringWriter err = new StringWriter();
        int code = new CommandLine(new DemoCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setErr(new PrintWriter(err, true))
                .execute("--guest", "qemu", "--qemu", "99.9");
        assertThat(code).isEqualTo(69);
        assertThat(err.toString()).startsWith("godwit: there is no QEMU").contains("run bin/install-qemu");
    }
}
