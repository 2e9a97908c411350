// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.ChurnOptions;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.StreamMessage;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;

/** A migration brought to one of its states, at the end where the test looks. What is needed to stay there (a peer that hangs) is closed with it. */
final class Stage implements Closeable {
    /** Which end, in which state. */
    enum At {
        SOURCE_NONE,
        SOURCE_SETUP,
        SOURCE_ACTIVE,
        SOURCE_PRE_SWITCHOVER,
        SOURCE_DEVICE,
        SOURCE_POSTCOPY_ACTIVE,
        SOURCE_PAUSED,
        SOURCE_RECOVER_SETUP,
        SOURCE_RECOVER,
        SOURCE_UNCERTAIN,
        SOURCE_COMPLETED,
        SOURCE_FAILED,
        SOURCE_CANCELLED,
        DESTINATION_NONE,
        DESTINATION_SETUP,
        DESTINATION_ACTIVE,
        DESTINATION_POSTCOPY_ACTIVE,
        DESTINATION_PAUSED,
        DESTINATION_RECOVER,
        DESTINATION_COMPLETED,
        DESTINATION_FAILED
    }

    private static final ChurnOptions IDLE = ChurnOptions.idle(Pair.MIB).withSeed(4714);

    final Pair pair;
    final Endpoint endpoint;
    final Diary diary;
    private Closeable extra = () -> {};

    private Stage(Pair pair, boolean source) {
        this.pair = pair;
        this.endpoint = source ? pair.source : pair.destination;
        this.diary = source ? pair.src : pair.dst;
    }

    static Stage set(At at) throws Exception {
        boolean source = at.name().startsWith("SOURCE");
        Capability[] capabilities = Pair.postcopy(false);
        if (at == At.SOURCE_PRE_SWITCHOVER) {
            capabilities = Arrays.copyOf(capabilities, capabilities.length + 1);
            capabilities[capabilities.length - 1] = Capability.PAUSE_BEFORE_SWITCHOVER;
        }
        Pair pair = at == At.DESTINATION_NONE
                ? Pair.deferred(IDLE, capabilities)
                : new Pair(at == At.SOURCE_DEVICE || at == At.SOURCE_PRE_SWITCHOVER ? IDLE : Pair.TINY, capabilities);
        Stage stage = new Stage(pair, source);
        try {
            pair.parameters(Stage::patient);
            stage.play(at);
        } catch (Exception | AssertionError e) {
            stage.close();
            throw e;
        }
        return stage;
    }

    private static Parameters patient(Parameters p) {
        return new Parameters(1, 1, 300, 0, 60_000, 60_000, 100);
    }

    private void play(At at) throws Exception {
        switch (at) {
            case SOURCE_NONE, DESTINATION_NONE, DESTINATION_SETUP -> {}
            case SOURCE_SETUP -> pair.source.migrate(fullHouse(), false);
            case SOURCE_ACTIVE, DESTINATION_ACTIVE -> active();
            case SOURCE_PRE_SWITCHOVER -> {
                pair.parameters(Pair::fast);
                pair.source.migrate(pair.target, false);
                pair.src.await(MigrationStatus.PRE_SWITCHOVER);
            }
            case SOURCE_DEVICE -> allSent();
            case SOURCE_POSTCOPY_ACTIVE, DESTINATION_POSTCOPY_ACTIVE -> pair.toProvenPostcopy();
            case SOURCE_PAUSED, DESTINATION_PAUSED -> paused();
            case SOURCE_RECOVER_SETUP -> {
                paused();
                pair.source.migrate(fullHouse(), true);
            }
            case SOURCE_RECOVER, DESTINATION_RECOVER -> {
                paused();
                pair.fault("half-open");
                pair.source.migrate(pair.target, true);
                pair.src.await(MigrationStatus.POSTCOPY_RECOVER);
                pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            }
            case SOURCE_UNCERTAIN -> {
                active();
                Pair.eventually(
                        "PONGs of PING 1 and of the first keep-alive",
                        () -> pair.relay.stats().backBytes() >= 16);
                pair.fault("forward:cut-after=100");
                pair.source.migrateStartPostcopy();
                pair.src.await(MigrationStatus.UNCERTAIN);
                pair.fault("none");
            }
            case SOURCE_COMPLETED, DESTINATION_COMPLETED -> {
                pair.parameters(Pair::fast);
                pair.source.migrate(pair.target, false);
                pair.bothCompleted();
            }
            case SOURCE_FAILED, DESTINATION_FAILED -> {
                active();
                pair.relay.cut();
                pair.src.await(MigrationStatus.FAILED);
                pair.dst.await(MigrationStatus.FAILED);
            }
            case SOURCE_CANCELLED -> {
                active();
                pair.source.migrateCancel();
                pair.src.await(MigrationStatus.CANCELLED);
                pair.dst.await(MigrationStatus.FAILED);
            }
        }
    }

    private void active() throws Exception {
        pair.source.migrate(pair.target, false);
        pair.src.await(MigrationStatus.ACTIVE);
        pair.dst.await(MigrationStatus.ACTIVE);
    }

    private void paused() throws Exception {
        pair.toProvenPostcopy();
        pair.relay.cut();
        pair.bothPaused();
    }

    private Address fullHouse() throws Exception {
        FullHouse house = new FullHouse();
        extra = house;
        return house.address();
    }

    /** Past the commit point of a precopy: a destination that has heard everything says no word. */
    private void allSent() throws Exception {
        RawPort port = new RawPort(
                pair.folder.resolve("raw.sock"), pair.sourceGuest.memory().blocks());
        extra = port;
        pair.parameters(Pair::fast);
        pair.source.migrate(port.address(), false);
        Raw peer = port.accept();
        extra = () -> {
            peer.close();
            port.close();
        };
        peer.until(StreamMessage.EndOfStream.class);
        pair.src.await(MigrationStatus.DEVICE);
    }

    MigrationStatus status() {
        return endpoint.info().status();
    }

    @Override
    public void close() throws IOException {
        try (pair) {
            extra.close();
        }
    }
}
