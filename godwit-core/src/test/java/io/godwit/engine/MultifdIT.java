// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.ZeroPageDetection;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages on channels of their own, between two Godwits over real sockets. */
@Timeout(60)
class MultifdIT {
    private static final Capability[] PRECOPY = {Capability.RETURN_PATH, Capability.MULTIFD};
    private static final Capability[] POSTCOPY = {Capability.RETURN_PATH, Capability.POSTCOPY_RAM, Capability.MULTIFD};
    private static final Capability[] PREEMPT = {
        Capability.RETURN_PATH, Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT, Capability.MULTIFD
    };
    /** A guest that is not sent within one batch, and writes without a pause. */
    private static final ChurnOptions LARGE =
            ChurnOptions.of(32 * Pair.MIB).withWriters(2, 2000).withSeed(4711);

    private static Parameters fast(Parameters p, UnaryOperator<MultifdParameters> multifd) {
        return Pair.fast(p).withMultifd(multifd.apply(p.multifd()));
    }

    /** So slowly that the first pass does not end. */
    private static Parameters slow(Parameters p) {
        return new Parameters(4 << 20, 1, 1, 0, 5000, 10_000, 50).withMultifd(p.multifd());
    }

    private static Parameters willing(Parameters p) {
        return new Parameters(0, 0, Parameters.DEFAULT.downtimeLimitMillis(), 0, 5000, 10_000, 50)
                .withMultifd(p.multifd());
    }

    private static void setUp(Pair pair, UnaryOperator<MultifdParameters> multifd) throws Exception {
        pair.parameters(p -> fast(p, multifd));
        // What counts is what is set when the migration is awaited.
        pair.destination.migrateIncoming(pair.listen);
    }

    private static Pair pair(UnaryOperator<MultifdParameters> multifd, Capability... capabilities) throws Exception {
        Pair pair = Pair.deferred(LARGE, capabilities);
        setUp(pair, multifd);
        return pair;
    }

    @ParameterizedTest
    @EnumSource
    void completes(MultifdCompression compression) throws Exception {
        try (Pair pair = pair(m -> m.withChannels(3).withCompression(compression), PRECOPY)) {
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            MigrationInfo.Ram sent = pair.source.info().ram();
            assertThat(sent.multifdBytes()).isPositive();
            assertThat(pair.destination.info().ram().multifdBytes()).isEqualTo(sent.multifdBytes());
            assertThat(sent.transferred()).isGreaterThanOrEqualTo(sent.normal() / 100);
            pair.verifyDestination();
        }
    }

    @ParameterizedTest
    @EnumSource
    void zeroPagesTravelAsTheSourceIsSet(ZeroPageDetection zeroPages) throws Exception {
        try (Pair pair = pair(m -> m.withZeroPages(zeroPages), PRECOPY)) {
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            long found = pair.source.info().ram().duplicate();
            if (zeroPages == ZeroPageDetection.NONE) {
                assertThat(found).isZero();
            } else {
                assertThat(found).isPositive();
            }
            pair.verifyDestination();
        }
    }

    @Test
    void withoutAReturnPathToo() throws Exception {
        try (Pair pair = pair(m -> m.withChannels(4), Capability.MULTIFD)) {
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void switchesToPostcopyAndRecoversWithoutTheChannels(boolean preempt) throws Exception {
        try (Pair pair = pair(m -> m, preempt ? PREEMPT : POSTCOPY)) {
            pair.parameters(MultifdIT::slow);
            pair.source.migrate(pair.target, false);
            Pair.eventually("pages come", () -> pair.destination.info().ram().normal() > 0);
            pair.source.migrateStartPostcopy();
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            Pair.eventually("the source knows", () -> pair.source.info().downtimeMillis() >= 0);
            long before = pair.source.info().ram().multifdBytes();
            pair.relay.cut();
            pair.bothPaused();
            pair.recoverAndVerify();
            assertThat(pair.source.info().ram().multifdBytes())
                    .as("bytes on the channels")
                    .isEqualTo(before);
        }
    }

    @Test
    void aCutInPrecopyFailsItAndTheNextOneSucceeds() throws Exception {
        try (Pair pair = pair(m -> m.withCompression(MultifdCompression.ZLIB), PRECOPY)) {
            pair.parameters(MultifdIT::slow);
            pair.source.migrate(pair.target, false);
            Pair.eventually("pages come", () -> pair.destination.info().ram().normal() > 0);
            pair.relay.cut();
            pair.src.await(MigrationStatus.FAILED);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.destination.migrateIncoming(pair.listen);
            // To end is not what is hard here: compressed on a busy machine it would take many passes to get below a
            // millisecond.
            pair.parameters(MultifdIT::willing);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** All bytes of all channels together. */
    @Test
    void theBandwidthIsThatOfAllChannels() throws Exception {
        try (Pair pair = pair(m -> m.withChannels(4), PRECOPY)) {
            pair.parameters(MultifdIT::slow);
            long began = System.nanoTime();
            pair.source.migrate(pair.target, false);
            Pair.eventually("2 MiB have gone", () -> pair.source.info().ram().transferred() > 2 * Pair.MIB);
            assertThat(System.nanoTime() - began).as("nanoseconds for 2 MiB").isGreaterThan(400_000_000L);
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    // ---- what does not fit together

    @Test
    void anotherCompressionAtTheDestinationFailsWithAReason() throws Exception {
        try (Pair pair = pair(m -> m, PRECOPY)) {
            pair.source.setParameters(p -> fast(p, m -> m.withCompression(MultifdCompression.ZLIB)));
            pair.source.migrate(pair.target, false);
            bothFail(pair);
            assertThat(pair.destination.info().errorDesc())
                    .contains("compression zlib, but multifd-compression is none");
        }
    }

    @Test
    void fewerChannelsThanAwaitedFailWithAReason() throws Exception {
        try (Pair pair = pair(m -> m.withChannels(3), PRECOPY)) {
            pair.destination.setParameters(p -> new Parameters(0, 0, 300, 0, 200, 10_000, 50).withMultifd(p.multifd()));
            pair.source.setParameters(p -> fast(p, m -> m.withChannels(2)));
            pair.source.migrate(pair.target, false);
            bothFail(pair);
            assertThat(pair.destination.info().errorDesc()).contains("only 2 of 3 channels have come");
        }
    }

    @Test
    void moreChannelsThanAwaitedFailWithAReason() throws Exception {
        try (Pair pair = pair(m -> m.withChannels(2), PRECOPY)) {
            pair.source.setParameters(p -> fast(p, m -> m.withChannels(3)));
            pair.source.migrate(pair.target, false);
            bothFail(pair);
            pair.dst.awaitNotice("channel number 2, but multifd-channels is 2");
        }
    }

    @Test
    void withoutTheCapabilityAtTheDestination() throws Exception {
        try (Pair pair = Pair.deferred(LARGE, PRECOPY)) {
            pair.parameters(Pair::fast);
            pair.destination.setCapabilities(Map.of(Capability.MULTIFD, false));
            pair.destination.migrateIncoming(pair.listen);
            pair.source.migrate(pair.target, false);
            bothFail(pair);
        }
    }

    private static void bothFail(Pair pair) throws Exception {
        pair.src.await(MigrationStatus.FAILED);
        pair.dst.await(MigrationStatus.FAILED);
        assertThat(pair.source.runState()).isEqualTo("running");
        pair.verifySource();
    }

    @Test
    void notTogetherWithDifferencesOfPages() throws Exception {
        try (Pair pair = Pair.deferred(LARGE, PRECOPY)) {
            pair.source.setCapabilities(Map.of(Capability.XBZRLE, true));
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false))
                    .hasMessageContaining("the capabilities do not go together: multifd carries whole pages");
        }
    }

    @Test
    void aStrangersChannelIsDroppedAndCounted() throws Exception {
        try (Pair pair = pair(m -> m, PRECOPY)) {
            pair.parameters(MultifdIT::slow);
            pair.source.migrate(pair.target, false);
            Pair.eventually("pages come", () -> pair.destination.info().ram().normal() > 0);
            ByteBuffer says = ByteBuffer.allocate(MultifdEncoder.INIT_SIZE);
            MultifdEncoder.init(new MultifdMessage.Init(new UUID(47, 11), 0), says);
            try (Raw stranger =
                    Raw.connect(pair.listen, pair.destinationGuest.memory().blocks())) {
                stranger.bytes(says.array());
                pair.dst.awaitNotice("the channel of guest 00000000-0000-002f");
            }
            assertThat(pair.destination.info().extra().strayConnections()).isEqualTo(1);
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }
}
