// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A relay between plain sockets of either kind, for a test: who dials it, and who answers behind it. */
@Timeout(30)
abstract class RelayStand {
    private static final int SHORT = 100_000_000;

    final String kind;

    @TempDir
    Path folder;

    ServerSocketChannel target;
    Relay relay;
    final List<RelayEvent> events = new CopyOnWriteArrayList<>();

    RelayStand(String kind) {
        this.kind = kind;
    }

    @BeforeEach
    void start() throws IOException {
        target = Peer.server(address("target"));
        relay = Relay.start(Address.parse(address("relay")), Peer.addressOf(target), FaultPlan.NONE, events::add);
    }

    @AfterEach
    void stop() throws IOException {
        relay.close();
        target.close();
        assertThat(folder.resolve("relay")).doesNotExist();
    }

    String address(String name) {
        return kind.equals("tcp") ? "tcp:127.0.0.1:0" : "unix:" + folder.resolve(name);
    }

    Peer dial() throws IOException {
        return Peer.connect(relay.address());
    }

    Peer answer() throws IOException {
        return Peer.accept(target);
    }

    void fault(String words) throws IOException {
        relay.setFault(FaultPlan.parse(words));
    }

    /** Nothing can be proven to come never; a moment is long for a relay that does it in microseconds. */
    void assertSilent(Peer peer) throws IOException {
        peer.channel().configureBlocking(false);
        long deadline = System.nanoTime() + SHORT;
        while (System.nanoTime() < deadline) {
            assertThat(peer.channel().read(java.nio.ByteBuffer.allocate(10))).isZero();
            Thread.onSpinWait();
        }
        peer.channel().configureBlocking(true);
    }

    RelayStats statsOnceOpen(int open) {
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (relay.stats().open() != open && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(relay.stats().open()).isEqualTo(open);
        return relay.stats();
    }

    static Thread sender(Peer from, byte[] bytes) {
        return Thread.ofPlatform().start(() -> {
            try {
                from.send(bytes).done();
            } catch (IOException lost) {
                throw new java.io.UncheckedIOException(lost);
            }
        });
    }
}
