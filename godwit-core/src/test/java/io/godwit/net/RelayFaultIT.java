// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A relay with each of its faults. */
@ParameterizedClass
@ValueSource(strings = {"tcp", "unix"})
@Timeout(30)
class RelayFaultIT extends RelayStand {
    RelayFaultIT(String kind) {
        super(kind);
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
    void aRateIsKept() throws Exception {
        try (Peer source = dial();
                Peer destination = answer()) {
            fault("forward:rate=1M");
            Thread sender = sender(source, new byte[512 << 10]);
            long start = System.nanoTime();
            assertThat(destination.hearOut()).isEqualTo(512 << 10);
            assertThat(System.nanoTime() - start).isBetween(400_000_000L, 10_000_000_000L);
            assertThat(sender.join(Duration.ofSeconds(10)))
                    .as("it has sent it all")
                    .isTrue();
        }
    }
}
