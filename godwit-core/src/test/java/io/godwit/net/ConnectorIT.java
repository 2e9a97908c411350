// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Loop.Told;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Connections that do not come about, each with its reason, told exactly once. */
@Timeout(30)
class ConnectorIT {
    @TempDir
    Path folder;

    @AutoClose
    private final Loop loop = new Loop();

    private String failure(String address) {
        Connection connection = loop.reactor.connect(Address.parse(address));
        assertThat(loop.told).as("connect told something by itself").isEmpty();
        Told.ConnectFailed failed = loop.await(Told.ConnectFailed.class);
        assertThat(failed.connection()).isSameAs(connection);
        assertThat(connection.isOpen()).isFalse();
        loop.poll(20_000_000);
        assertThat(loop.told).as("told more").isEmpty();
        return failed.reason();
    }

    @Test
    void nobodyListensAtThePort() throws IOException {
        Address.Tcp free;
        try (ServerSocketChannel server = Peer.server("tcp:127.0.0.1:0")) {
            free = (Address.Tcp) Peer.addressOf(server);
        }
        assertThat(failure(free.toString()))
                .isEqualTo("cannot connect to " + free + ": connection refused, nobody listens there");
        assertThat(failure("tcp:localhost:" + free.port())).endsWith("nobody listens there");
        assertThat(failure("tcp:[::1]:" + free.port())).endsWith("nobody listens there");
    }

    @Test
    void thereIsNoSuchSocketOrItIsAnOldOne() throws IOException {
        String unix = "unix:" + folder.resolve("s");
        assertThat(failure(unix)).isEqualTo("cannot connect to " + unix + ": there is no such socket");

        Peer.server(unix).close();
        assertThat(failure(unix)).isEqualTo("cannot connect to " + unix + ": connection refused, nobody listens there");
    }

    @Test
    void theQueueOfTheSocketIsFull() throws IOException {
        Address unix = Address.parse("unix:" + folder.resolve("s"));
        try (ServerSocketChannel busy = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            busy.bind(Peer.socket(unix), 1);
            for (int i = 0; i < 2; i++) {
                loop.reactor.connect(unix);
                loop.await(Told.Connected.class);
            }
            assertThat(failure(unix.toString()))
                    .isEqualTo("cannot connect to " + unix + ": its queue of waiting connections is full, try again");
        }
    }

    @Test
    void theHostHasNoAddress() {
        assertThat(failure("tcp:nowhere.invalid:4444"))
                .isEqualTo("cannot connect to tcp:nowhere.invalid:4444: no address is known for this host name");
    }

    @Test
    void theNetworkIsUnreachable() {
        assertThat(failure("tcp:255.255.255.255:4444")).startsWith("cannot connect to tcp:255.255.255.255:4444: ");
    }

    @Test
    void portZeroIsNoPort() {
        assertThat(failure("tcp:127.0.0.1:0"))
                .isEqualTo("cannot connect to tcp:127.0.0.1:0: port 0 can only be listened on");
    }

    @Test
    void aConnectThatHangsIsAborted() throws IOException {
        try (Silence silence = new Silence()) {
            Connection connection = loop.reactor.connect(silence.address);
            loop.poll(20_000_000);
            assertThat(loop.told).isEmpty();

            Thread.ofPlatform().start(() -> {
                connection.abort("the operator's word");
                connection.abort("another word");
            });
            assertThat(loop.await(Told.ConnectFailed.class).reason()).isEqualTo("the operator's word");
            loop.poll(20_000_000);
            assertThat(loop.told).isEmpty();
        }
    }

    @Test
    void anAbortBeforeTheOutcomeIsTheOutcome() throws IOException {
        Listener listener = loop.listen("unix:" + folder.resolve("s"));
        Connection unix = loop.reactor.connect(listener.address());
        unix.abort("too slow");
        assertThat(loop.await(Told.ConnectFailed.class, f -> f.connection() == unix)
                        .reason())
                .isEqualTo("too slow");

        Connection named = loop.reactor.connect(Address.parse("tcp:localhost:1"));
        named.abort("while it was looked up");
        assertThat(loop.await(Told.ConnectFailed.class, f -> f.connection() == named)
                        .reason())
                .isEqualTo("while it was looked up");
        loop.poll(50_000_000);
        assertThat(loop.told.stream().filter(Told.ConnectFailed.class::isInstance))
                .isEmpty();
    }

    @Test
    void aConnectThatWasClosedIsForgotten() throws IOException {
        try (Silence silence = new Silence()) {
            loop.reactor.connect(silence.address).close();
            loop.reactor.connect(Address.parse("tcp:nowhere.invalid:1")).close();
            loop.reactor
                    .connect(Address.parse("unix:" + folder.resolve("none")))
                    .close();
            loop.poll(100_000_000);
            loop.poll(20_000_000);
            assertThat(loop.told).isEmpty();
        }
    }

    /** A tcp address that neither accepts nor refuses: a listener whose queue is full. */
    private static final class Silence implements AutoCloseable {
        final ServerSocketChannel server = ServerSocketChannel.open();
        final List<SocketChannel> queue = new ArrayList<>();
        final Address address;

        Silence() throws IOException {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            address = Peer.addressOf(server);
            for (int i = 0; i < 4; i++) {
                SocketChannel one = SocketChannel.open();
                one.configureBlocking(false);
                one.connect(Peer.socket(address));
                queue.add(one);
            }
        }

        @Override
        public void close() throws IOException {
            for (SocketChannel one : queue) {
                one.close();
            }
            server.close();
        }
    }
}
