// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A relay between plain sockets, without a fault and with each of them. */
@ParameterizedClass
@ValueSource(strings = {"tcp", "unix"})
@Timeout(30)
class RelayIT {
    private static final int SHORT = 100_000_000;

    private final String kind;

    @TempDir
    Path folder;

    private ServerSocketChannel target;
    private Relay relay;
    private final List<RelayEvent> events = new CopyOnWriteArrayList<>();

    RelayIT(String kind) {
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

    private String address(String name) {
        return kind.equals("tcp") ? "tcp:127.0.0.1:0" : "unix:" + folder.resolve(name);
    }

    private Peer dial() throws IOException {
        return Peer.connect(relay.address());
    }

    private Peer answer() throws IOException {
        return Peer.accept(target);
    }

    private void fault(String words) throws IOException {
        relay.setFault(FaultPlan.parse(words));
    }

    /** Nothing can be proven to come never; a moment is long for a relay that does it in microseconds. */
    private void assertSilent(Peer peer) throws IOException {
        peer.channel().configureBlocking(false);
        long deadline = System.nanoTime() + SHORT;
        while (System.nanoTime() < deadline) {
            assertThat(peer.channel().read(java.nio.ByteBuffer.allocate(10))).isZero();
            Thread.onSpinWait();
        }
        peer.channel().configureBlocking(true);
    }

    private RelayStats statsOnceOpen(int open) {
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (relay.stats().open() != open && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(relay.stats().open()).isEqualTo(open);
        return relay.stats();
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

    private static Thread sender(Peer from, byte[] bytes) {
        return Thread.ofPlatform().start(() -> {
            try {
                from.send(bytes).done();
            } catch (IOException lost) {
                throw new java.io.UncheckedIOException(lost);
            }
        });
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
    void refuseMeansThatNobodyListens() throws IOException {
        try (Peer before = dial();
                Peer destination = answer()) {
            fault("refuse");
            assertThatThrownBy(this::dial).isInstanceOf(SocketException.class);
            before.say("x");
            assertThat(destination.hear(1)).as("who is connected").isEqualTo("x");

            fault("none");
            dial().close();
        }
    }

    @Test
    void resetMeansAcceptedAndGone() throws IOException {
        fault("reset");
        try (Peer source = dial()) {
            assertThat(source.hearOut()).isZero();
        }
        target.configureBlocking(false);
        assertThat(target.accept()).isNull();
    }

    @Test
    void aBlackHoleSwallowsAndTheTargetNeverLearns() throws IOException {
        fault("blackhole");
        try (Peer source = dial().say("hello?")) {
            source.send(new byte[4 << 20]);
            assertSilent(source);
            target.configureBlocking(false);
            assertThat(target.accept()).isNull();
            assertThat(relay.stats().forwardSwallowed()).isPositive();

            fault("none");
            assertThat(source.hearOut())
                    .as("what was swallowed is lost, so this ends")
                    .isZero();
        }
    }

    @Test
    void halfOpenPassesOneDirectionAndSwallowsTheOtherWithItsEnd() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("half-open");
            source.say("are you there");
            assertThat(destination.hear(13)).isEqualTo("are you there");
            destination.say("yes").done();
            assertSilent(source);
            source.say("still");
            assertThat(destination.hear(5)).isEqualTo("still");
            destination.hangUp();
            source.say("hello?").say("hello?");
            assertSilent(source);
            source.say("hello?");
            assertThat(relay.stats().backSwallowed()).isEqualTo(3);

            fault("none");
            assertThat(source.hearOut()).as("it cannot go on behind a hole").isZero();
        }
        statsOnceOpen(0);
    }

    @Test
    void whatNothingWasSwallowedOfGoesOn() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("half-open");
            source.say("a");
            assertThat(destination.hear(1)).isEqualTo("a");
            fault("none");
            destination.say("b");
            assertThat(source.hear(1)).isEqualTo("b");
        }
    }

    @Test
    void exactlySoManyBytesPassBeforeACut() throws IOException {
        for (int bytes : new int[] {0, 1, 4095, 70_000, 3_000_000}) {
            fault("forward:cut-after=" + bytes);
            try (Peer source = dial();
                    Peer destination = answer()) {
                Thread sender = Thread.ofPlatform().start(() -> {
                    try {
                        source.send(new byte[4_000_000]);
                    } catch (IOException cut) {
                        assertThat(cut).isInstanceOf(IOException.class);
                    }
                });
                assertThat(destination.hearOut()).isEqualTo(bytes);
                assertThat(source.hearOut()).isZero();
                sender.join();
            } catch (InterruptedException never) {
                throw new AssertionError(never);
            }
            assertThat(relay.fault()).as("spent").isEqualTo(FaultPlan.NONE);
        }
    }

    @Test
    void aCutOfOneDirectionCountsOverAllConnectionsAndNotTheOther() throws IOException {
        try (Peer one = dial();
                Peer oneThere = answer();
                Peer two = dial();
                Peer twoThere = answer()) {
            fault("back:cut-after=10");
            one.say("does not count at all");
            assertThat(oneThere.hear(21)).hasSize(21);
            oneThere.say("12345");
            assertThat(one.hear(5)).isEqualTo("12345");
            twoThere.say("67890 and more");
            assertThat(two.hear(100)).isEqualTo("67890");
            assertThat(one.hearOut()).isZero();
        }
        assertThat(events).contains(new RelayEvent.Cut(2, "after the bytes that cut-after allowed back"));
    }

    @Test
    void aStallHoldsTheSenderUpAndLosesNothing() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("forward:stall");
            source.say("wait");
            assertSilent(destination);
            destination.say("the other way is free");
            assertThat(source.hear(21)).isEqualTo("the other way is free");
            long taken = source.sendUntilHeldUp();

            fault("none");
            source.channel().configureBlocking(true);
            source.done();
            assertThat(destination.hearOut()).isEqualTo(taken + 4);
        }
    }

    @Test
    void aDelayIsTheTimeOfEveryByte() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("forward:delay=300");
            long start = System.nanoTime();
            source.say("late");
            assertThat(destination.hear(4)).isEqualTo("late");
            assertThat(System.nanoTime() - start).isBetween(300_000_000L, 5_000_000_000L);

            start = System.nanoTime();
            destination.say("soon");
            assertThat(source.hear(4)).isEqualTo("soon");
            assertThat(System.nanoTime() - start).as("the other way").isLessThan(300_000_000L);

            start = System.nanoTime();
            for (int i = 0; i < 50; i++) {
                source.say("many");
            }
            source.done();
            assertThat(destination.hear(1000)).hasSize(200);
            assertThat(System.nanoTime() - start)
                    .as("all on their way together")
                    .isLessThan(2_000_000_000L);
        }
    }

    @Test
    void aRateIsKept() throws IOException {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("forward:rate=1M");
            Thread sender = sender(source, new byte[512 << 10]);
            long start = System.nanoTime();
            assertThat(destination.hearOut()).isEqualTo(512 << 10);
            assertThat(System.nanoTime() - start).isBetween(400_000_000L, 10_000_000_000L);
            assertThat(sender.isDaemon()).isFalse();
        }
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
