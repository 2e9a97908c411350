// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.ServerSocketChannel;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A relay without a fault: what passes, what its commands do, how it begins and ends. */
@ParameterizedClass
@ValueSource(strings = {"tcp", "unix"})
@Timeout(30)
class RelayIT extends RelayStand {
    RelayIT(String kind) {
        super(kind);
    }

    @Test
    void bothDirectionsPassWithTheirEnds() throws IOException {
        try (Peer source = dial().say("hello").done();
                Peer destination = answer()) {
            assertThat(destination.hear(100)).isEqualTo("hello");
            destination.say("and good bye").done();
            assertThat(source.hear(100)).isEqualTo("and good bye");
        }
        assertThat(statsOnceOpen(0)).isEqualTo(new RelayStats(1, 0, 5, 12, 0, 0));
        assertThat(events)
                .map(RelayEvent::toString)
                .containsExactly(
                        "listening on " + relay.address(),
                        "connection 1: accepted, connecting to " + relay.target(),
                        "connection 1: connected to the target",
                        "connection 1: both ends have finished (5 bytes forward, 12 back)");
    }

    @Test
    void manyMegabytesPassBothWaysAtOnceUnharmed() throws Exception {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        byte[] there = new byte[9 << 20];
        byte[] back = new byte[7 << 20];
        new Random(seed).nextBytes(there);
        new Random(seed + 1).nextBytes(back);
        try (Peer source = dial();
                Peer destination = answer()) {
            Thread one = sender(source, there);
            Thread two = sender(destination, back);
            assertThat(destination.hearBytes()).as("-Dgodwit.seed=%d", seed).isEqualTo(there);
            assertThat(source.hearBytes()).as("-Dgodwit.seed=%d", seed).isEqualTo(back);
            one.join();
            two.join();
        }
    }

    @Test
    void aReceiverThatDoesNotReadHoldsTheSenderUp() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            long taken = source.sendUntilHeldUp();
            assertThat(taken).isLessThan(40L << 20); // the buffers of two systems' sockets and ours
            source.channel().configureBlocking(true);
            source.done();
            assertThat(destination.hearOut()).isEqualTo(taken);
        }
    }

    @Test
    void theDeathOfOneEndReachesTheOther() throws IOException {
        Peer source = dial();
        Peer destination = answer();
        source.say("x");
        destination.hear(1);
        destination.close();
        assertThat(source.hearOut()).isZero();
        source.close();
        statsOnceOpen(0);
    }

    @Test
    void aTargetThatIsNotThereIsTheEndOfTheConnection() throws IOException {
        target.close();
        if (kind.equals("unix")) {
            java.nio.file.Files.delete(folder.resolve("target"));
        }
        try (Peer source = dial()) {
            assertThat(source.hearOut()).isZero();
        }
        statsOnceOpen(0);
        assertThat(events)
                .anySatisfy(e -> assertThat(e)
                        .isInstanceOfSatisfying(
                                RelayEvent.TargetFailed.class,
                                failed -> assertThat(failed.reason())
                                        .startsWith("cannot connect to " + relay.target() + ": ")));
    }

    @Test
    void aCutEndsAllNow() throws IOException {
        try (Peer one = dial();
                Peer oneThere = answer();
                Peer two = dial();
                Peer twoThere = answer()) {
            one.say("x");
            assertThat(oneThere.hear(1)).isEqualTo("x");
            long start = System.nanoTime();
            relay.cut();
            for (Peer peer : List.of(one, oneThere, two, twoThere)) {
                assertThat(peer.hearOut()).isZero();
            }
            assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
        }
        dial().close();
    }

    @Test
    void aCutIsKnownToWhoeverDoesNotReadEither() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            source.sendUntilHeldUp();
            relay.cut();
            source.channel().configureBlocking(true);
            assertThatThrownBy(() -> source.send(new byte[64 << 20])).isInstanceOf(IOException.class);
            assertThat(destination.hearOut()).isPositive();
        }
    }

    @Test
    void aKilledRelayRefusesUntilItIsRevived() throws IOException {
        Address before = relay.address();
        try (Peer source = dial();
                Peer destination = answer()) {
            relay.kill();
            assertThat(source.hearOut()).isZero();
            assertThat(destination.hearOut()).isZero();
            for (int i = 0; i < 20; i++) {
                assertThatThrownBy(this::dial).isInstanceOf(SocketException.class);
            }
        }
        relay.revive();
        assertThat(relay.address()).isEqualTo(before);
        try (Peer source = dial();
                Peer destination = answer()) {
            source.say("x");
            assertThat(destination.hear(1)).isEqualTo("x");
        }
    }

    @Test
    void aPlaceThatWasTakenMeanwhileIsSaid() throws IOException {
        relay.kill();
        try (ServerSocketChannel thief = Peer.server(relay.address().toString())) {
            assertThatThrownBy(relay::revive)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot listen on " + relay.address());
            assertThat(thief.isOpen()).isTrue();
        }
        if (kind.equals("unix")) {
            java.nio.file.Files.delete(folder.resolve("relay"));
        }
    }

    @Test
    void aRelayThatCannotListenDoesNotStart() {
        assertThatThrownBy(() -> Relay.start(relay.address(), relay.target()))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("cannot listen on " + relay.address());
    }

    @Test
    void itMayBeCommandedFromItsOwnEvents() throws IOException {
        relay.close();
        relay = Relay.start(Address.parse(address("relay")), Peer.addressOf(target), FaultPlan.NONE, event -> {
            if (event instanceof RelayEvent.Connected) {
                relay.cut();
            }
        });
        try (Peer source = dial()) {
            assertThat(source.hearOut()).isZero();
        }
    }

    @Test
    void aClosedRelayIsGone() throws IOException {
        Peer source = dial();
        Peer destination = answer();
        relay.close();
        relay.close();
        assertThat(source.hearOut()).isZero();
        assertThat(destination.hearOut()).isZero();
        assertThatThrownBy(this::dial).isInstanceOf(SocketException.class);
        source.close();
        destination.close();
        relay.cut();
        assertThat(relay.ended()).isNotNull();
    }
}
