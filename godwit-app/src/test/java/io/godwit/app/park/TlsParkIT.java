// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.JsonObject;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.Authority;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Parked from and brought to real QEMUs, with certificates that both ends look at. */
@Timeout(180)
class TlsParkIT extends OnBench {
    /** For a precopy: a guest that writes all the time outruns a busy machine. One that is to be switched must not end before. */
    private static final String PATIENT = "downtime-limit=20000";

    @TempDir
    static Path certificates;

    /** Whose client was certified by somebody else. */
    @TempDir
    static Path strange;

    @BeforeAll
    static void certify() throws IOException {
        Authority authority = new Authority("test CA");
        authority.folder(certificates);
        authority.folder(strange);
        Authority another = new Authority("another");
        another.client(strange, another.issue("client", KeyPurposeId.id_kp_clientAuth));
    }

    /** Makes the QEMU's credentials, as an operator does before. */
    private static QemuProcess with(QemuProcess qemu, String endpoint) throws IOException {
        qemu.qmp(
                "object-add",
                JsonObject.builder()
                        .put("qom-type", "tls-creds-x509")
                        .put("id", "tls0")
                        .put("dir", certificates.toString())
                        .put("endpoint", endpoint)
                        .put("verify-peer", true)
                        .build());
        return qemu;
    }

    private QemuProcess running(QemuVersion version) throws IOException {
        return with(bench.running(version), "client");
    }

    private QemuProcess awaiting(QemuVersion version) throws IOException {
        return with(bench.awaiting(version), "server");
    }

    private static String[] tls(Path dir, String endpoint, String... more) {
        return Bench.words(
                more,
                "--object",
                "tls-creds-x509,id=mine,dir=" + dir + ",endpoint=" + endpoint,
                "--tls-creds",
                "mine",
                "--peer-parameter",
                "tls-creds=tls0");
    }

    /** Over a unix socket nothing says which host it is. */
    private static String[] parking(String... more) {
        return tls(certificates, "server", Bench.words(more, "--peer-parameter", "tls-hostname=localhost"));
    }

    private static String[] leaving(String... more) {
        return tls(certificates, "client", Bench.words(more, "--tls-hostname", "localhost"));
    }

    private void parked(QemuProcess source, String... more) throws Exception {
        boolean switches = Arrays.asList(more).contains("--mode");
        String[] all = switches ? more : Bench.words(more, "--peer-parameter", PATIENT);
        bench.parked(source, parking(all));
    }

    /** These tests run their commands without the optimizing compiler, which the launcher would not do here. */
    @Test
    void whoeverEnciphersSlowlyIsTold() throws Exception {
        QemuProcess source = running(QemuVersion.V10_0.need());
        Process park = bench.park(source, parking("--peer-parameter", "max-bandwidth=1000000"));
        bench.await(park, "TLS is about six times as slow in this process");
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(1);
    }

    private void arrived(QemuProcess destination, String... more) throws Exception {
        bench.arrived(destination, leaving(more));
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** Over tcp the host that is connected to is the name. */
    private void parkedOverTcp(QemuProcess source) throws Exception {
        Process park = bench.godwit(Bench.words(
                tls(certificates, "server", "--peer-parameter", PATIENT),
                "park",
                "--incoming",
                "tcp:127.0.0.1:0",
                "--store",
                bench.store.toString(),
                "--qmp-peer",
                source.address().toString()));
        assertThat(bench.code(park)).as("%s", bench).isZero();
        assertThat(bench.difference(source)).isEmpty();
    }

    /** One VM: by precopy into a folder and out of it, then from where it came to by postcopy, with a channel for the pages that are asked for. */
    @ParameterizedTest
    @EnumSource
    void parksAVmAndRunsItAgainWhicheverWayItGoes(QemuVersion version) throws Exception {
        parkedOverTcp(running(version));
        QemuProcess there = awaiting(version);
        arrived(there);

        there.qmp("object-del", JsonObject.builder().put("id", "tls0").build());
        with(there, "client");
        there.qmp("cont");
        parked(there, "--mode", "postcopy", "--set-capability", "postcopy-preempt");
        arrived(awaiting(version), "--set-capability", "postcopy-preempt");
    }

    @ParameterizedTest
    @CsvSource({"V7_2, zlib", "V11_1, none"})
    void pagesGoOverChannelsOfTheirOwn(QemuVersion version, String compression) throws Exception {
        String[] channels = {
            "--set-capability",
            "multifd",
            "--set-parameter",
            "multifd-channels=3",
            "--set-parameter",
            "multifd-compression=" + compression
        };
        QemuProcess source = running(version);
        parked(source, channels);
        assertThat(((JsonObject) source.qmp("query-migrate")).object("ram").int64("multifd-bytes"))
                .isPositive();
        arrived(awaiting(version), Bench.words(channels, "--mode", "precopy"));
    }

    @ParameterizedTest
    @EnumSource
    void aCutIsRecoveredFromOnBothWays(QemuVersion version) throws Exception {
        QemuProcess source = running(version);
        try (Relay relay = bench.relay("in")) {
            bench.cutAndRecovered(relay, bench.parkThroughRelay(source, parking(Bench.SLOW)), source);
        }

        QemuProcess destination = awaiting(version);
        try (Relay relay = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination, leaving());
            bench.await(unpark, "\"event\":\"runs\"");
            relay.cut();
            relay.setFault(FaultPlan.NONE);
            bench.await(unpark, "recovery 1");
            assertThat(bench.code(unpark)).as("%s", bench).isZero();
        }
        assertThat(bench.damage(destination)).as("%s", bench).isEmpty();
    }

    /** Without TLS this would cost a 7.2 and an 11.1 their guest, before the first byte and inside the first four. */
    @ParameterizedTest
    @EnumSource(names = {"V7_2", "V11_1"})
    void aRecoveryThatIsCutAtItsFirstBytesDoesNoHarm(QemuVersion version) throws Exception {
        parked(running(version));
        QemuProcess destination = awaiting(version);
        try (Relay relay = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination, leaving());
            bench.await(unpark, "\"event\":\"runs\"");
            relay.setFault(FaultPlan.parse("refuse"));
            relay.cut();
            bench.awaitPaused(unpark, "recovery 1");
            relay.setFault(FaultPlan.parse("forward:cut-after=0"));
            bench.awaitPaused(unpark, "recovery 2");
            relay.setFault(FaultPlan.parse("forward:cut-after=2"));
            bench.awaitPaused(unpark, "recovery 3");
            relay.setFault(FaultPlan.NONE);
            assertThat(bench.code(unpark)).as("%s", bench).isZero();
        }
        assertThat(bench.damage(destination)).as("%s", bench).isEmpty();
    }

    /** So nobody is warned of strangers. */
    @Test
    void whoMerelyConnectsDoesNoHarm() throws Exception {
        QemuVersion version = QemuVersion.V11_1.need();
        parked(running(version));
        Process unpark = bench.godwit(Bench.words(
                tls(certificates, "client", "--tls-hostname", "localhost"),
                "unpark",
                bench.store.toString(),
                "--to",
                "tcp:127.0.0.1:0",
                "--qmp-peer",
                awaiting(version).address().toString()));
        assertThat(bench.code(unpark)).as("%s", bench).isZero();
        assertThat(bench.toString()).doesNotContain("let nobody else reach");
    }

    @Test
    void whatIsRefusedIsSaidAndTheVmStaysWhereItIs() throws Exception {
        QemuVersion version = QemuVersion.V11_1.need();
        QemuProcess source = running(version);
        assertThat(bench.code(
                        bench.park(source, tls(certificates, "server", "--peer-parameter", "tls-hostname=otherhost"))))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.code(bench.park(source))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("this end is not to speak TLS");
        parked(source);

        QemuProcess destination = awaiting(version);
        assertThat(bench.code(bench.unpark(
                        destination, tls(certificates, "client", "--tls-hostname", "otherhost", "--recoveries", "1"))))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.toString()).contains("its certificate is for another host");
        assertThat(bench.code(bench.unpark(awaiting(version), tls(strange, "client", "--tls-hostname", "localhost"))))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.toString()).contains("may not accept this side's certificate");
        assertThat(bench.state()).isEqualTo("parked");
        arrived(awaiting(version));
    }
}
