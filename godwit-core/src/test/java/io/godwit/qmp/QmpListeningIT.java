// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.json.Json;
import io.godwit.net.Address;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a server listens, and what it leaves behind. */
class QmpListeningIT {
    @TempDir
    Path folder;

    private Address.Unix address;
    private QmpServer server;

    private static CommandTable table() {
        return CommandTable.builder(QmpVersion.GODWIT)
                .command("now")
                .runs(_ -> Json.of("at once"))
                .build();
    }

    @BeforeEach
    void serve() throws IOException {
        address = new Address.Unix(folder.resolve("qmp.sock"));
        server = QmpServer.listen(address, table());
    }

    @AfterEach
    void end() {
        server.close();
    }

    @Test
    void theSocketFileIsTheOwnersAloneAndGoesWithTheServer() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(address.path())))
                .isEqualTo("rw-------");
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(address.path());
        }

        server.close();

        assertThat(address.path()).doesNotExist();
    }

    @Test
    void aDeadOwnersSocketIsReplacedALiveOnesIsNot() throws Exception {
        assertThatThrownBy(() -> QmpServer.listen(address, table()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(address.path().toString())
                .hasMessageContaining("somebody listens there already");
        server.close();
        try (ServerSocketChannel dead = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(address.path()));
        }
        assertThat(address.path()).exists();

        server = QmpServer.listen(address, table());

        try (RawClient client = RawClient.negotiated(address)) {
            assertThat(client.ask("{\"execute\":\"now\"}")).contains("at once");
        }
    }

    @Test
    void anotherOwnersSocketInItsPlaceIsLeftAlone() throws Exception {
        Files.delete(address.path());
        try (QmpServer other = QmpServer.listen(address, table())) {
            server.close();

            assertThat(address.path()).exists();
            assertThat(other.address()).isEqualTo(address);
        }
    }

    @Test
    void refusesPathsThatCannotBe() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        assertThatThrownBy(() -> QmpServer.listen(new Address.Unix(file), table()))
                .hasMessageContaining("is no socket");
        assertThat(file).hasContent("mine");
        assertThatThrownBy(() -> QmpServer.listen(new Address.Unix(folder.resolve("none/q")), table()))
                .hasMessageContaining("does not exist");
    }

    @Test
    void servesTcpOnLoopbackOnly() throws Exception {
        try (QmpServer tcp = QmpServer.listen(new Address.Tcp("127.0.0.1", 0), table())) {
            assertThat(((Address.Tcp) tcp.address()).port()).isPositive();
            try (RawClient client = RawClient.negotiated(tcp.address())) {
                assertThat(client.ask("{\"execute\":\"now\"}")).contains("at once");
            }
            assertThatThrownBy(() -> QmpServer.listen(tcp.address(), table()))
                    .hasMessageContaining("cannot listen on " + tcp.address())
                    .hasMessageContaining("the port is in use");
        }
        for (String host : new String[] {"0.0.0.0", "", "192.0.2.1", "::"}) {
            assertThatThrownBy(() -> QmpServer.listen(new Address.Tcp(host, 0), table()))
                    .hasMessageContaining("loopback");
        }
    }
}
