// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.store.StoreCommand;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** A {@code godwit unpark} whose destination loses the guest that it has begun to run, or takes no recovery: when it ends, what it says, and what the folder has. */
@Timeout(180)
class UnparkLossIT extends OnBench {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void aDestinationThatDiesIsToldOfAndTheStoreHasTheVmAsItWas() throws Exception {
        bench.parked(bench.running(QemuVersion.V11_1.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        try (Relay _ = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination);
            bench.await(unpark, "\"event\":\"runs\"");
            destination.kill();
            assertThat(bench.code(unpark)).as("%s", bench).isEqualTo(1);
        }
        assertThat(bench.toString()).contains("'godwit store take-back' parks that again");
        assertThat(bench.state()).isEqualTo("leaving");
    }

    /** Its process lives, its guest stands as soon as it touches a page that is not there, and no recovery is taken any more. */
    @Test
    void aDestinationThatGivesItsMigrationUpIsToldOfAndTheVmIsParkedAgain() throws Exception {
        bench.parked(bench.running(QemuVersion.V11_1.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        try (Relay relay = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination);
            bench.await(unpark, "\"event\":\"runs\"");
            cutBeforeTheFirstByte(relay, unpark);
            assertThat(bench.code(unpark)).as("%s", bench).isEqualTo(1);
        }
        assertThat(bench.toString())
                .contains("it has given its migration up after the guest was started")
                .contains("end that QEMU first")
                .doesNotContain("recovery 3");
        assertThat(bench.state()).isEqualTo("leaving");

        destination.kill();
        assertThat(new CommandLine(new StoreCommand())
                        .setOut(new PrintWriter(new StringWriter(), true))
                        .execute("take-back", bench.store.toString()))
                .isZero();
        bench.arrived(bench.awaiting(QemuVersion.V11_1));
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** What is not there yet may be on its way still when all has been sent: then only who looks at the guest can tell. */
    @Test
    void whatWasSentToADestinationThatGaveUpMayHaveCome() throws Exception {
        bench.parked(bench.running(QemuVersion.V11_1.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        try (Relay relay = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination, "--qmp", bench.unix("qmp"));
            bench.await(unpark, "\"event\":\"runs\"");
            try (QmpClient operator = QmpClient.connect(new Address.Unix(folder.resolve("qmp")), PATIENCE)) {
                awaitRemaining(operator, 300_000);
                // What is left fits into the relay, from where it would come too late.
                relay.setFault(FaultPlan.parse("forward:delay=60000"));
                awaitRemaining(operator, 0);
            }
            cutBeforeTheFirstByte(relay, unpark);
            assertThat(bench.code(unpark)).as("%s", bench).isEqualTo(3);
        }
        assertThat(bench.toString()).contains("but everything was sent before").contains("godwit store arrived");
        assertThat(bench.state()).isEqualTo("leaving");
    }

    /** A try that the destination refuses is one try, not two. */
    @Test
    void asManyRecoveriesAreTriedAsWereGiven() throws Exception {
        bench.parked(bench.running(QemuVersion.V10_0.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V10_0);
        Path place = Files.createDirectory(folder.resolve("place"));
        try (Relay relay = bench.slowRelay("place/to")) {
            Process unpark = bench.unpark("relay", "place/to", destination, "--recoveries", "2");
            bench.await(unpark, "\"event\":\"runs\"");
            Files.deleteIfExists(place.resolve("to"));
            Files.delete(place);
            relay.cut();
            assertThat(bench.code(unpark)).as("%s", bench).isEqualTo(75);
        }
        assertThat(bench.toString())
                .contains("recovery 1", "recovery 2", "refuses 'migrate-recover'")
                .doesNotContain("recovery 3");
    }

    /** The channel is lost, and the second recovery brings nothing: a QEMU 11.1 gives its migration up. */
    private void cutBeforeTheFirstByte(Relay relay, Process unpark) throws IOException {
        relay.setFault(FaultPlan.parse("refuse"));
        relay.cut();
        bench.awaitPaused(unpark, "recovery 1");
        relay.setFault(FaultPlan.parse("forward:cut-after=0"));
    }

    private static void awaitRemaining(QmpClient operator, long most) throws QmpException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (((JsonObject) operator.execute("query-migrate", Json.object(), PATIENCE))
                        .object("ram")
                        .int64("remaining")
                > most) {
            assertThat(System.nanoTime()).as("time is over").isLessThan(end);
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Only those that may suffer from a stranger, only where one may come, and only if a recovery may be awaited. */
    @ParameterizedTest
    @CsvSource({
        "V7_2, tcp:127.0.0.1:0, postcopy, true",
        "V10_0, tcp:127.0.0.1:0, postcopy, false",
        "V11_1, tcp:127.0.0.1:0, postcopy, true",
        "V11_1, tcp:127.0.0.1:0, precopy, false",
        "V11_1, unix:to, postcopy, false"
    })
    void whoeverMayLoseItsGuestToAStrangerIsWarnedOf(QemuVersion version, String listen, String mode, boolean warned)
            throws Exception {
        bench.parked(bench.running(version.need()));
        QemuProcess destination = bench.awaiting(version);
        Process unpark = bench.godwit(
                "unpark",
                bench.store.toString(),
                "--to",
                listen.replace("unix:to", bench.unix("to")),
                "--mode",
                mode,
                "--qmp-peer",
                destination.address().toString());
        assertThat(bench.code(unpark)).as("%s", bench).isZero();
        assertThat(bench.toString().contains("let nobody else reach " + listen))
                .as("%s", bench)
                .isEqualTo(warned);
    }
}
