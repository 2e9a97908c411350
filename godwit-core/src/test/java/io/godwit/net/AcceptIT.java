// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process without file descriptors: in one of its own, because it would harm every other test. */
@Timeout(60)
class AcceptIT {

    @Test
    void aListenerWithoutDescriptorsWaitsAndGoesOnLater() throws IOException, InterruptedException {
        List<String> lines = runWithDescriptors(64);

        assertThat(lines)
                .anySatisfy(line ->
                        assertThat(line).matches("told cannot accept on tcp:127.0.0.1:\\d+: too many open files, .*"));
        assertThat(lines).contains("told again 0", "accepted 40");
        assertThat(lines).anySatisfy(line -> {
            assertThat(line).startsWith("rounds ");
            assertThat(Integer.parseInt(line.substring(7))).as("it spins").isBetween(5, 100);
        });
    }

    private static List<String> runWithDescriptors(int limit) throws IOException, InterruptedException {
        Path classes = Path.of(Objects.requireNonNull(System.getProperty("godwit.classes")));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -n " + limit + " && exec \"$@\"",
                        "sh",
                        java,
                        "-XX:-MaxFDLimit",
                        "-XX:+UseSerialGC",
                        "-cp",
                        classes + ":" + classes.resolveSibling("test-classes") + ":" + assertj(),
                        AcceptProbe.class.getName())
                .redirectErrorStream(true)
                .start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).as(output).isTrue();
            assertThat(process.exitValue()).as(output).isZero();
            return output.lines().toList();
        } finally {
            process.destroyForcibly();
        }
    }

    private static Path assertj() {
        return Path.of(org.assertj.core.api.Assertions.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
    }
}
