// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.TlsClient;
import io.godwit.net.TlsCredentials;
import io.godwit.net.TlsCredentials.Role;
import io.godwit.qemu.Authority;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** QMP behind TLS: who is let in, and who is not. */
class QmpTlsIT {
    private static final Authority CA = new Authority("test CA");
    private static final Authority ANOTHER = new Authority("another");
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Address.Tcp ANYWHERE = new Address.Tcp("0.0.0.0", 0);

    @TempDir
    Path dir;

    private QmpServer server;

    @BeforeEach
    void serve() throws IOException {
        CA.folder(dir);
        server = serve(new QmpServer.Limits(2, 1 << 20, 1 << 20, LONG));
    }

    @AfterEach
    void end() {
        server.close();
    }

    private QmpServer serve(QmpServer.Limits limits) throws IOException {
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT)
                .command("echo")
                .takes("value", ArgumentType.ANY)
                .runs(arguments -> arguments.require("value"))
                .build();
        QmpAccess access = new QmpAccess(ANYWHERE, TlsCredentials.load(dir, Role.SERVER, true), false);
        return QmpServer.listen(access, table, InstantSource.system(), limits);
    }

    private Address.Tcp address() {
        return new Address.Tcp("localhost", ((Address.Tcp) server.address()).port());
    }

    private TlsClient known(Path folder) throws IOException {
        return new TlsClient(TlsCredentials.load(folder, Role.CLIENT, true), "localhost");
    }

    private static Json echo(QmpClient client, String words) throws QmpException {
        return client.execute("echo", JsonObject.builder().put("value", words).build(), LONG);
    }

    @Test
    void aClientThatIsKnownIsServedOnAnyAddress() throws Exception {
        try (QmpClient client = QmpClient.connect(address(), known(dir), LONG)) {
            assertThat(echo(client, "hello")).isEqualTo(Json.of("hello"));
            // Many records, both ways.
            String much = "x".repeat(200_000);
            assertThat(echo(client, much)).isEqualTo(Json.of(much));
            assertThat(server.clients()).isOne();
        }
    }

    @Test
    void manyThreadsShareOneConnection() throws Exception {
        try (QmpClient client = QmpClient.connect(address(), known(dir), LONG)) {
            List<CompletableFuture<Json>> answers = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                String words = "number " + i;
                answers.add(CompletableFuture.supplyAsync(() -> {
                    try {
                        return echo(client, words);
                    } catch (QmpException e) {
                        throw new IllegalStateException(e);
                    }
                }));
            }
            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get(30, TimeUnit.SECONDS)).isEqualTo(Json.of("number " + i));
            }
        }
    }

    @Test
    void aClientWithoutACertificateOrWithAnothersIsNotLetIn() throws Exception {
        Path nameless = dir.resolve("nameless");
        Files.createDirectories(nameless);
        CA.authority(nameless);
        assertThatThrownBy(() -> QmpClient.connect(address(), known(nameless), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("accept this side's certificate");

        Path forged = dir.resolve("forged");
        ANOTHER.folder(forged);
        CA.authority(forged);
        assertThatThrownBy(() -> QmpClient.connect(address(), known(forged), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("accept this side's certificate");
        assertThat(server.clients()).isZero();
    }

    @Test
    void aServerThatIsNotTheOneMeantIsNotBelieved() throws Exception {
        assertThatThrownBy(() -> QmpClient.connect(
                        address(), new TlsClient(TlsCredentials.load(dir, Role.CLIENT, true), "elsewhere"), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("its certificate is for another host");
        Path stranger = dir.resolve("stranger");
        ANOTHER.folder(stranger);
        assertThatThrownBy(() -> QmpClient.connect(address(), known(stranger), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("was not issued by the CA in ca-cert.pem");
    }

    @Test
    void whoSpeaksPlainlyGetsNothing() throws Exception {
        // Both wait for the other's first word.
        assertThatThrownBy(() -> QmpClient.connect(address(), Duration.ofMillis(300)))
                .isInstanceOf(QmpTimeout.class)
                .hasMessageContaining("did not greet");
        try (RawClient client = RawClient.open(address())) {
            client.send("{\"execute\":\"qmp_capabilities\"}\r\n");
            assertThat(client.line()).doesNotContain("QMP").doesNotContain("return");
        }
        assertThat(server.clients()).isZero();
    }

    @Test
    void aPlainServerIsNotTakenForOneWithTls() throws Exception {
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT).build();
        try (QmpServer plain = QmpServer.listen(new Address.Tcp("127.0.0.1", 0), table)) {
            Address to = new Address.Tcp("127.0.0.1", ((Address.Tcp) plain.address()).port());
            assertThatThrownBy(() -> QmpClient.connect(to, known(dir), LONG))
                    .isInstanceOf(QmpDisconnected.class)
                    .hasMessageContaining("it speaks no TLS");
        }
        assertThatThrownBy(() -> QmpClient.connect(new Address.Unix(dir.resolve("q")), known(dir), LONG))
                .isInstanceOf(QmpDisconnected.class)
                .hasMessageContaining("over tcp only");
    }

    @Test
    void silentStrangersKeepNobodyOutAndAreSentAway() throws Exception {
        server.close();
        server = serve(new QmpServer.Limits(2, 1 << 20, 1 << 20, Duration.ofSeconds(1)));
        InetSocketAddress there = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), address().port());
        try (SocketChannel silent = SocketChannel.open(there)) {
            try (QmpClient client = QmpClient.connect(address(), known(dir), LONG)) {
                assertThat(echo(client, "in spite of it")).isEqualTo(Json.of("in spite of it"));
            }
            // The server's end comes by itself.
            assertThat(silent.read(ByteBuffer.allocateDirect(1))).isEqualTo(-1);
        }
    }

    @Test
    void aCrowdOfStrangersMakesWayForWhoIsKnown() throws Exception {
        InetSocketAddress there = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), address().port());
        List<SocketChannel> crowd = new ArrayList<>();
        try {
            for (int i = 0; i < 6; i++) {
                crowd.add(SocketChannel.open(there));
            }
            try (QmpClient client = QmpClient.connect(address(), known(dir), LONG)) {
                assertThat(echo(client, "in spite of them")).isEqualTo(Json.of("in spite of them"));
                assertThat(crowd.getFirst().read(ByteBuffer.allocateDirect(1))).isEqualTo(-1);
            }
        } finally {
            for (SocketChannel each : crowd) {
                each.close();
            }
        }
    }

    @Test
    void closingTheServerEndsStrangersAndClientsAlike() throws Exception {
        InetSocketAddress there = new InetSocketAddress(
                InetAddress.getLoopbackAddress(), address().port());
        try (SocketChannel silent = SocketChannel.open(there);
                QmpClient client = QmpClient.connect(address(), known(dir), LONG)) {
            server.close();
            assertThat(silent.read(ByteBuffer.allocateDirect(1))).isEqualTo(-1);
            assertThatThrownBy(() -> echo(client, "anybody?"))
                    .isInstanceOf(QmpDisconnected.class)
                    .hasMessageContaining("the peer closed the connection");
        }
    }

    @Test
    void withoutKnowingWhoComesItIsServedWhereOnlyThisHostReaches() throws Exception {
        CommandTable table = CommandTable.builder(QmpVersion.GODWIT).build();
        TlsCredentials anybody = TlsCredentials.load(dir, Role.SERVER, false);
        for (TlsCredentials credentials : new TlsCredentials[] {null, anybody}) {
            assertThatThrownBy(() -> QmpServer.listen(
                            new QmpAccess(ANYWHERE, credentials, false),
                            table,
                            InstantSource.system(),
                            QmpServer.Limits.DEFAULT))
                    .hasMessageContaining("verify-peer=on")
                    .hasMessageContaining("loopback");
            QmpServer.listen(
                            new QmpAccess(ANYWHERE, credentials, true),
                            table,
                            InstantSource.system(),
                            QmpServer.Limits.DEFAULT)
                    .close();
        }
        assertThatThrownBy(() -> new QmpAccess(ANYWHERE, TlsCredentials.load(dir, Role.CLIENT, true), false))
                .hasMessageContaining("endpoint=server");
        assertThatThrownBy(() -> new QmpAccess(new Address.Unix(dir.resolve("q")), anybody, false))
                .hasMessageContaining("over tcp");
    }

    @Test
    void aQemusMonitorBehindTlsIsSpokenTo() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        QemuProcess.Recipe recipe = QemuProcess.Recipe.of(QemuVersion.V11_1)
                .stopped()
                .with("-object", "tls-creds-x509,id=tls0,dir=" + dir + ",endpoint=server,verify-peer=on")
                .with(
                        "-chardev",
                        "socket,id=mon,host=127.0.0.1,port=" + port + ",server=on,wait=off,tls-creds=tls0",
                        "-mon",
                        "chardev=mon,mode=control");
        try (QemuProcess _ = recipe.start(dir);
                QmpClient client = QmpClient.connect(new Address.Tcp("localhost", port), known(dir), LONG)) {
            assertThat(client.execute("query-status", Json.object(), LONG).toString())
                    .contains("prelaunch");
        }
    }
}
