// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The two ends were told different things. */
@Timeout(60)
class CapabilityIT {
    private static final Capability[] PLAIN = {Capability.RETURN_PATH};

    /** Of a written page little changes. */
    private static final ChurnOptions SMALL_WRITES = Pair.TINY.withPayloadBytes(64);

    private static Pair pair(Capability[] here, Capability[] there) throws Exception {
        return new Pair(Pair.Net.UNIX, Pair.TINY, Pair.TINY.size(), here, there);
    }

    @Test
    void postcopyAtTheSourceOnlyFailsWithAReasonAndWorksOnceItIsSetAlike() throws Exception {
        try (Pair pair = pair(Pair.postcopy(false), PLAIN)) {
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc())
                    .contains("capability postcopy-ram is on at the source and off here; set it alike at both ends");
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.destination.setCapabilities(Map.of(Capability.POSTCOPY_RAM, true));
            pair.destination.migrateIncoming(pair.listen);
            pair.parameters(Pair::slow);
            pair.toPostcopy();
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void postcopyAtTheDestinationOnlyIsAPrecopy() throws Exception {
        try (Pair pair = pair(PLAIN, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            assertThatThrownBy(pair.source::migrateStartPostcopy)
                    .hasMessageContaining("without capability postcopy-ram");
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** The source alone decides whether it uses a preempt channel; through a recovery, too. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void preemptAtOneEndOnly(boolean atSource) throws Exception {
        try (Pair pair = pair(Pair.postcopy(atSource), Pair.postcopy(!atSource))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            Pair.eventually(
                    "pages that were asked for have come",
                    () -> pair.destination.info().requests().count() > 2);
            pair.relay.cut();
            pair.bothPaused();
            pair.source.migrate(pair.target, true);
            long before = pair.destination.info().requests().count();
            Pair.eventually(
                    "more have", () -> pair.destination.info().requests().count() > before + 2);
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            assertThat(pair.src.states().stream().filter("postcopy-paused"::equals))
                    .hasSize(1);
            pair.verifyDestination();
        }
    }

    @Test
    void withoutAReturnPathThePrecopyCompletesUnconfirmed() throws Exception {
        Capability[] none = {};
        try (Pair pair = pair(none, none)) {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void aReturnPathIsTheSourcesChoice() throws Exception {
        try (Pair pair = pair(PLAIN, new Capability[] {})) {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void anotherMemorySizeFailsAtBothEndsBeforeAnythingMoves() throws Exception {
        ChurnOptions small = Pair.TINY;
        try (Pair pair = new Pair(Pair.Net.TCP, small, 2 * Pair.MIB, PLAIN, PLAIN)) {
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc())
                    .contains("'churn.ram' has 1048576 bytes at the source and 2097152 here");
            assertThat(pair.source.info().errorDesc()).contains("the destination ended with status 1");
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.verifySource();
        }
    }

    /** With switchover-ack the destination's word is awaited; both ends know of it. */
    @Test
    void switchoverAck() throws Exception {
        Capability[] both = {Capability.RETURN_PATH, Capability.SWITCHOVER_ACK};
        try (Pair pair = pair(both, both)) {
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** The first pass takes so long that the guest writes pages which were sent already; and none may be left when it stops. */
    private static Parameters unhurried(Parameters p) {
        return new Parameters(1 << 20, 0, 0, 0, 5000, 10_000, 50);
    }

    /** Pages that were sent before go as the difference; whoever writes a whole page anew gets the whole page sent. */
    @Test
    void xbzrle() throws Exception {
        Capability[] both = {Capability.RETURN_PATH, Capability.XBZRLE};
        try (Pair pair = new Pair(Pair.Net.UNIX, SMALL_WRITES, SMALL_WRITES.size(), both, both)) {
            pair.parameters(CapabilityIT::unhurried);
            pair.source.migrate(pair.target, false);
            Pair.eventually("pages go again", () -> pair.source.info().ram().dirtySyncCount() > 1);
            pair.parameters(p -> Pair.fast(Parameters.DEFAULT));
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void xbzrleAtTheSourceOnlyFailsWithAReason() throws Exception {
        Capability[] here = {Capability.RETURN_PATH, Capability.XBZRLE};
        try (Pair pair = new Pair(Pair.Net.UNIX, SMALL_WRITES, SMALL_WRITES.size(), here, PLAIN)) {
            pair.parameters(CapabilityIT::unhurried);
            pair.source.migrate(pair.target, false);
            pair.src.await(MigrationStatus.FAILED);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc())
                    .contains("xbzrle is off here; switch it on here, or off at the source");
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.verifySource();
        }
    }

    @Test
    void nothingIsSentCompressed() throws Exception {
        Capability[] both = {Capability.RETURN_PATH, Capability.COMPRESS};
        try (Pair pair = pair(both, both)) {
            assertThatThrownBy(() -> pair.source.migrate(pair.target, false))
                    .hasMessageContaining("capability compress is for a migration that comes from QEMU 9.0 or older");
            assertThat(pair.source.info().status()).isEqualTo(MigrationStatus.NONE);
            pair.source.setCapabilities(Map.of(Capability.COMPRESS, false));
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }
}
