// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.Pair.Net;
import io.godwit.guest.ChurnOptions;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsCredentials;
import io.godwit.net.TlsCredentials.Role;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.TlsParameters;
import io.godwit.qemu.Authority;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole migrations over TLS, and recoveries; what goes wrong with it before and after the commit point. */
class TlsPairIT {
    private static final Authority CA = new Authority("test CA");

    @TempDir
    static Path dir;

    @TempDir
    static Path strange;

    @BeforeAll
    static void certificates() throws Exception {
        CA.folder(dir);
        CA.authority(strange);
        CA.client(strange, new Authority("another").issue("client", KeyPurposeId.id_kp_clientAuth));
    }

    enum Kind {
        PRECOPY,
        POSTCOPY,
        PREEMPT,
        MULTIFD
    }

    private static Capability[] capabilities(Kind kind) {
        return switch (kind) {
            case PRECOPY -> new Capability[] {Capability.RETURN_PATH};
            case POSTCOPY -> Pair.postcopy(false);
            case PREEMPT -> Pair.postcopy(true);
            case MULTIFD -> new Capability[] {Capability.RETURN_PATH, Capability.MULTIFD};
        };
    }

    /** Both speak TLS from now on. */
    private static void secure(Pair pair) throws Exception {
        pair.destination.addCredentials("tls0", TlsCredentials.load(dir, Role.SERVER, true));
        pair.destination.setParameters(p -> p.withTls(new TlsParameters("tls0", "")));
        secureSource(pair, dir, "localhost");
    }

    private static void secureSource(Pair pair, Path certificates, String host) throws Exception {
        pair.source.addCredentials("tls0", TlsCredentials.load(certificates, Role.CLIENT, true));
        pair.source.setParameters(p -> p.withTls(new TlsParameters("tls0", host)));
    }

    private static Pair secured(Kind kind) throws Exception {
        Pair pair = new Pair(Net.TCP, ChurnOptions.of(8 * Pair.MIB).withWriters(2, 2000), capabilities(kind));
        secure(pair);
        return pair;
    }

    @ParameterizedTest
    @EnumSource
    void migrates(Kind kind) throws Exception {
        try (Pair pair = secured(kind)) {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            if (kind == Kind.POSTCOPY || kind == Kind.PREEMPT) {
                pair.source.migrateStartPostcopy();
            }
            pair.bothCompleted();
            pair.verifyDestination();
            assertThat(pair.destination.info().extra().strayConnections()).isZero();
        }
    }

    private static void good(Pair pair) throws Exception {
        pair.source.setParameters(p -> p.withTls(new TlsParameters("tls0", "localhost")));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCutInPostcopyIsRecoveredFromTwice(boolean preempt) throws Exception {
        try (Pair pair = secured(preempt ? Kind.PREEMPT : Kind.POSTCOPY)) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.source.yank();
            pair.bothPaused();
            recover(pair);
        }
    }

    private static void recover(Pair pair) throws Exception {
        pair.relay.setFault(FaultPlan.NONE);
        pair.parameters(Pair::fast);
        pair.source.migrate(pair.target, true);
        pair.bothCompleted();
        pair.verifyDestination();
    }

    @Test
    void whatGoesWrongInTheHandshakeBeforeTheCommitPointLeavesTheGuestAtTheSource() throws Exception {
        try (Pair pair = secured(Kind.PREEMPT)) {
            pair.source.setParameters(p -> p.withTls(new TlsParameters("tls0", "otherhost")));
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            assertThat(pair.src.lines.getLast()).contains("its certificate is for another host");

            pair.source.addCredentials("strange", TlsCredentials.load(strange, Role.CLIENT, true));
            pair.source.setParameters(p -> p.withTls(new TlsParameters("strange", "localhost")));
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            assertThat(pair.src.lines.getLast()).contains("does not accept this side's certificate");

            pair.source.setParameters(p -> p.withTls(TlsParameters.OFF));
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            for (String sentence : List.of(
                    "certificate_unknown",
                    "came to no TLS session",
                    "what it sends is no TLS: it needs the parameter")) {
                pair.dst.awaitNotice(sentence);
            }
            assertThat(pair.destination.info().extra().strayConnections())
                    .as("who took itself for connected may have come with its preempt channel, too")
                    .isBetween(3L, 5L);

            pair.parameters(Pair::fast);
            good(pair);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void aPlainDestinationTellsATlsSource() throws Exception {
        try (Pair pair = secured(Kind.POSTCOPY)) {
            pair.destination.setParameters(p -> p.withTls(TlsParameters.OFF));
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            assertThat(pair.src.lines.getLast()).contains("does it speak TLS there (tls-creds)?");
            pair.dst.awaitNotice("it speaks TLS, and tls-creds is not set here");
            pair.verifySource();
        }
    }

    @Test
    void inARecoveryEveryFailureOfTheHandshakeFallsBackToPaused() throws Exception {
        try (Pair pair = secured(Kind.PREEMPT)) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.source.setParameters(p -> p.withTls(new TlsParameters("tls0", "otherhost")));
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(pair.src.lines.getLast()).contains("its certificate is for another host");

            pair.source.setParameters(p -> p.withTls(TlsParameters.OFF));
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);

            good(pair);
            pair.destination.setParameters(p -> p.withTls(TlsParameters.OFF));
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(pair.src.lines.getLast()).contains("tls-creds");
            pair.destination.setParameters(p -> p.withTls(new TlsParameters("tls0", "")));
            recover(pair);
        }
    }

    @Test
    void aHandshakeThatHangsInARecoveryIsEndedByTheDeadlineOrTheOperator() throws Exception {
        try (Pair pair = secured(Kind.POSTCOPY)) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.fault("swallow");
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_RECOVER_SETUP);
            pair.source.migratePause();
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            pair.source.setParameters(p -> new Parameters(1, 1, 300, 0, 300, 10_000, 50).withTls(p.tls()));
            pair.source.migrate(pair.target, true);
            pair.src.await(MigrationStatus.POSTCOPY_RECOVER_SETUP);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            recover(pair);
        }
    }

    /** Every byte is {@code TlsStreamTest}'s; here the two ends' states are looked at. */
    @ParameterizedTest
    @ValueSource(strings = {"forward", "back"})
    void aBreakInsideTheHandshakeOfARecoveryIsAFailureLikeAnyOther(String direction) throws Exception {
        try (Pair pair = secured(Kind.PREEMPT)) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            for (int bytes = 0; bytes < 1600; bytes += 61) {
                pair.fault(direction + ":cut-after=" + bytes);
                pair.source.migrate(pair.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
                pair.guests.check();
            }
            recover(pair);
        }
    }

    @Test
    void strangersAtATlsPortCostNothing() throws Exception {
        try (Pair pair = secured(Kind.PREEMPT)) {
            int port = ((Address.Tcp) pair.listen).port();
            try (SocketChannel silent = connect(port);
                    SocketChannel loud = connect(port)) {
                loud.write(ByteBuffer.wrap("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
                pair.parameters(Pair::fast);
                pair.source.migrate(pair.target, false);
                pair.source.migrateStartPostcopy();
                pair.bothCompleted();
                pair.verifyDestination();
                assertThat(silent.isConnected()).isTrue();
            }
        }
    }

    private static SocketChannel connect(int port) throws Exception {
        return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    @Test
    void refusesWhatCannotBe() throws Exception {
        try (Pair pair = secured(Kind.POSTCOPY)) {
            assertThatThrownBy(() -> pair.source.setParameters(p -> p.withTls(new TlsParameters("nope", ""))))
                    .isInstanceOf(CommandRefused.class)
                    .hasMessageContaining("tls-creds names 'nope', and there is no such object");
            assertThatThrownBy(() -> pair.source.removeCredentials("tls0"))
                    .hasMessageContaining("object 'tls0' is in use");
            assertThatThrownBy(() -> pair.source.addCredentials("tls0", TlsCredentials.load(dir, Role.CLIENT, true)))
                    .hasMessageContaining("there is an object 'tls0' already");
            assertThatThrownBy(() -> pair.source.migrate(MigrationAddress.parse("exec:cat >/dev/null"), false))
                    .hasMessageContaining("TLS needs a socket");
            pair.source.setParameters(p -> p.withTls(new TlsParameters("tls0", "")));
            assertThatThrownBy(() -> pair.source.migrate(MigrationAddress.parse("unix:/nowhere"), false))
                    .hasMessageContaining("set the parameter tls-hostname");
            good(pair);
            pair.source.setCapabilities(Map.of(Capability.POSTCOPY_RAM, false, Capability.RETURN_PATH, false));
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false))
                    .hasMessageContaining("tls-creds needs the capability return-path");
            pair.source.addCredentials("server", TlsCredentials.load(dir, Role.SERVER, true));
            pair.source.setParameters(p -> p.withTls(new TlsParameters("server", "")));
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false))
                    .hasMessageContaining("needs credentials with endpoint=client, and 'server' has endpoint=server");
            assertThat(pair.source.info().status()).isEqualTo(MigrationStatus.NONE);
            pair.source.setParameters(p -> p.withTls(TlsParameters.OFF));
            pair.source.removeCredentials("tls0");
            assertThatThrownBy(() -> pair.source.removeCredentials("tls0")).hasMessage("there is no object 'tls0'");
        }
    }
}
