// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static io.godwit.engine.Lot.bothCompleted;
import static io.godwit.engine.Lot.bothPaused;
import static io.godwit.engine.Lot.toPostcopy;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.engine.Lot.End;
import io.godwit.engine.Stepwise.Step;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The disk is slow, full, fails or is damaged while a guest is parked or unparked: it waits, it stays where it is, or it is paused until the disk is well. */
@Timeout(60)
class ParkingTroubleIT {
    /** Bytes of a PONG: type, length, value. */
    private static final int PONG = 2 + 2 + 4;

    private final Lot lot = new Lot();
    private final MemoryStore store = new MemoryStore();

    @AfterEach
    void everybodyOut() throws Exception {
        lot.close();
    }

    // ---- a slow disk

    @Test
    void theSourceIsTheOneToWaitAndIsToldThatSomebodyIsThere() throws Exception {
        store.hold(Step.HAND_OVER);
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        source.parameters(p -> impatient(Pair.slow(p)));
        park.parameters(ParkingTroubleIT::impatient);
        source.endpoint().migrate(lot.before(park).address(), false);
        source.endpoint().migrateStartPostcopy();
        source.diary().await(MigrationStatus.POSTCOPY_ACTIVE);
        // Three times as long as the source would bear with silence.
        Pair.pause(1_500);
        assertThat(source.diary().status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        assertThat(source.endpoint().info().downtimeMillis())
                .as("nobody has said that it is there")
                .isNegative();
        store.release(Step.HAND_OVER);
        source.parameters(Pair::fast);
        bothCompleted(source, park);
        lot.unparkAndVerify(store, Lot.PRECOPY);
    }

    @Test
    void aChannelThatIsLostMeanwhileDoesNotStopTheDisk() throws Exception {
        store.hold(Step.HAND_OVER);
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        Relay relay = lot.before(park);
        source.parameters(Pair::slow);
        source.endpoint().migrate(relay.address(), false);
        source.endpoint().migrateStartPostcopy();
        source.diary().await(MigrationStatus.POSTCOPY_ACTIVE);
        Pair.eventually("the disk is at work", () -> store.log().contains("HAND_OVER waits"));
        relay.cut();
        source.diary().await(MigrationStatus.UNCERTAIN);
        park.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(store.log()).doesNotContain("HAND_OVER");
        store.release(Step.HAND_OVER);
        source.parameters(Pair::fast);
        recovers(source, park, relay);
    }

    @Test
    void theLastWordOfAPrecopyComesAfterTheDisk() throws Exception {
        store.hold(Step.PARK);
        End source = lot.running(Lot.PRECOPY);
        End park = lot.parked(store, Lot.PRECOPY);
        park.parameters(ParkingTroubleIT::impatient);
        Relay relay = lot.before(park);
        source.endpoint().migrate(relay.address(), false);
        source.diary().await(MigrationStatus.DEVICE);
        Pair.eventually("the disk is at work", () -> store.log().contains("PARK waits"));
        // Signs of life: a last word would be before them.
        long said = relay.stats().backBytes();
        Pair.eventually("the destination says more", () -> relay.stats().backBytes() >= said + 2 * PONG);
        source.endpoint().info();
        assertThat(source.diary().status()).isEqualTo(MigrationStatus.DEVICE);
        assertThat(park.diary().status()).isEqualTo(MigrationStatus.ACTIVE);
        store.release(Step.PARK);
        bothCompleted(source, park);
        assertThat(store.confirmed()).as("a Godwit never runs it again").isTrue();
    }

    // ---- a full disk

    @Test
    void noRoomInPrecopyMeansThatItStaysWhereItIs() throws Exception {
        store.fail(Step.WRITE, "no room on the disk");
        End source = lot.running(Lot.PRECOPY);
        End park = lot.parked(store, Lot.PRECOPY);
        source.endpoint().migrate(lot.before(park).address(), false);
        source.diary().await(MigrationStatus.FAILED);
        park.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("no room on the disk");
        assertThat(store.log()).contains("reset");
        assertThat(source.endpoint().runState()).isEqualTo("running");
        lot.verifyFirst(source);
    }

    @Test
    void noRoomAtTheVeryEndOfAPrecopyIsSaidAndNobodyRunsItTwice() throws Exception {
        store.fail(Step.PARK, "no room on the disk");
        End source = lot.running(Lot.PRECOPY);
        End park = lot.parked(store, Lot.PRECOPY);
        source.endpoint().migrate(lot.before(park).address(), false);
        park.diary().await(MigrationStatus.FAILED);
        // QEMU would run it again; a Godwit wants to hear from a person, or by a recovery, that nobody else can.
        source.diary().await(MigrationStatus.UNCERTAIN);
        assertThat(park.endpoint().info().errorDesc()).contains("no room on the disk");
        source.endpoint().migrateResolve(Owner.SOURCE);
        lot.verifyFirst(source);
    }

    /** The store may be found parked by another process, and cannot say so itself: nobody is told anything before that is decided. */
    @Test
    void aParkOfWhichTheDiskMaySayEitherHasFailedOnceTheDiskSaysSo() throws Exception {
        store.leavesDoubt();
        store.fail(Step.PARK, "the last sync failed");
        store.fail(Step.SETTLE, "the disk is away");
        End source = lot.running(Lot.PRECOPY);
        End park = lot.parked(store, Lot.PRECOPY);
        Relay relay = lot.before(park);
        source.endpoint().migrate(relay.address(), false);
        source.diary().await(MigrationStatus.UNCERTAIN);
        Pair.eventually("it is tried again", () -> store.log().contains("SETTLE fails"));
        assertThat(park.diary().status()).isEqualTo(MigrationStatus.ACTIVE);
        assertThat(store.log()).doesNotContain("reset");
        store.succeed(Step.SETTLE);
        park.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().info().errorDesc()).contains("the last sync failed");
        source.endpoint().migrateResolve(Owner.SOURCE);
        lot.verifyFirst(source);
    }

    @Test
    void noRoomInPostcopyPausesUntilThereIsRoom() throws Exception {
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        Relay relay = lot.before(park);
        toPostcopy(source, park, relay);
        store.fail(Step.WRITE, "no room on the disk");
        source.parameters(Pair::fast);
        bothPaused(source, park);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("no room on the disk");
        source.endpoint().migrate(relay.address(), true);
        source.diary().awaitLine("postcopy-recover");
        bothPaused(source, park);
        store.succeed(Step.WRITE);
        recovers(source, park, relay);
    }

    @Test
    void aLastSyncThatFailsTakesBackWhatWasNotSure() throws Exception {
        store.checkpointsLate();
        store.fail(Step.PARK, "the sync failed");
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        Relay relay = lot.before(park);
        toPostcopy(source, park, relay);
        source.parameters(Pair::fast);
        bothPaused(source, park);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("the sync failed");
        Pair.eventually(
                "what was not sure is not received",
                () -> park.endpoint().info().ram().remaining() > 0);
        store.succeed(Step.PARK);
        recovers(source, park, relay);
    }

    @Test
    void aLastSyncCanBeTriedAgainWithoutTheSource() throws Exception {
        store.fail(Step.PARK, "the sync failed");
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        toPostcopy(source, park, lot.before(park));
        store.hold(Step.PARK);
        source.parameters(Pair::fast);
        Pair.eventually(
                "everything has come", () -> park.endpoint().info().ram().remaining() == 0);
        store.keepsAll();
        store.release(Step.PARK);
        bothPaused(source, park);
        Pair.eventually("the disk is at rest", () -> store.log().contains("MEND"));
        store.succeed(Step.PARK);
        park.endpoint().migrateRecover(Lot.ANYWHERE);
        park.diary().await(MigrationStatus.COMPLETED);
        source.endpoint().migrate(park.endpoint().info().listening().getFirst(), true);
        source.diary().await(MigrationStatus.COMPLETED);
        lot.unparkAndVerify(store, Lot.POSTCOPY);
    }

    @Test
    void aDeviceStateThatCannotBeWrittenIsKeptUntilItCan() throws Exception {
        store.fail(Step.HAND_OVER, "no room on the disk");
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        Relay relay = lot.before(park);
        source.parameters(Pair::slow);
        source.endpoint().migrate(relay.address(), false);
        source.endpoint().migrateStartPostcopy();
        source.diary().await(MigrationStatus.UNCERTAIN);
        park.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(park.endpoint().info().errorDesc()).contains("no room on the disk");
        park.endpoint().migrateRecover(Lot.ANYWHERE);
        Pair.eventually(
                "it has failed again",
                () -> store.log().stream().filter("HAND_OVER fails"::equals).count() == 2);
        store.succeed(Step.HAND_OVER);
        Pair.eventually("the disk is at rest and tries again", () -> {
            try {
                park.endpoint().migrateRecover(Lot.ANYWHERE);
                return store.log().contains("HAND_OVER");
            } catch (CommandRefused busy) {
                return store.log().contains("HAND_OVER");
            }
        });
        source.parameters(Pair::fast);
        recovers(source, park, relay);
    }

    @Test
    void aDiskThatCannotBeMendedIsTriedAgainByMigrateRecover() throws Exception {
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        Relay relay = lot.before(park);
        toPostcopy(source, park, relay);
        store.fail(Step.WRITE, "read-only");
        store.fail(Step.MEND, "still read-only");
        source.parameters(Pair::fast);
        bothPaused(source, park);
        Pair.eventually(
                "it says so",
                () -> "still read-only".equals(park.endpoint().info().errorDesc()));
        source.endpoint().migrate(relay.address(), true);
        park.diary().awaitNotice("see to it, then migrate-recover");
        source.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        store.succeed(Step.WRITE);
        store.succeed(Step.MEND);
        park.endpoint().migrateRecover(Lot.ANYWHERE);
        Pair.eventually("it is well", () -> store.log().contains("MEND"));
        recovers(source, park, relay);
    }

    // ---- it cannot leave

    @Test
    void aGuestWhoseStoreCannotSayThatItLeavesStays() throws Exception {
        MemoryStore full = lot.full();
        full.fail(Step.LEAVE, "no room on the disk");
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        park.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("the guest cannot leave: no room on the disk");
        destination.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().runState()).isEqualTo("paused");
        full.succeed(Step.LEAVE);
        park.endpoint().close();
        lot.unparkAndVerify(full, Lot.POSTCOPY);
    }

    @Test
    void nothingIsCommittedBeforeTheStoreHasSaidThatItLeaves() throws Exception {
        MemoryStore full = lot.full();
        full.hold(Step.LEAVE);
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        Pair.eventually("it is about to leave", () -> park.endpoint().runState().equals("finish-migrate"));
        assertThat(destination.diary().status()).isEqualTo(MigrationStatus.ACTIVE);
        park.endpoint().migrateCancel();
        full.release(Step.LEAVE);
        Pair.eventually("it stays", () -> full.log().contains("STAY"));
        destination.diary().await(MigrationStatus.FAILED);
        park.endpoint().close();
        lot.unparkAndVerify(full, Lot.PRECOPY);
    }

    @Test
    void aDamagedPageIsNamedAndNotSentAndTheRestIs() throws Exception {
        MemoryStore full = lot.full();
        full.damage(77);
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        Relay relay = lot.before(destination);
        park.endpoint().migrate(relay.address(), false);
        park.diary().await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("page 77 is damaged");
        destination.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        full.damage(-1);
        park.endpoint().migrate(relay.address(), true);
        park.diary().await(MigrationStatus.COMPLETED);
        destination.diary().await(MigrationStatus.COMPLETED);
        lot.verifyLast(destination);
    }

    @Test
    void aDamagedPageEndsAPrecopyBeforeAnybodyElseHasTheGuest() throws Exception {
        MemoryStore full = lot.full();
        full.damage(77);
        End park = lot.parked(full, Lot.PRECOPY);
        End destination = lot.awaiting(Lot.PRECOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        park.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().info().errorDesc()).isEqualTo("page 77 is damaged");
        assertThat(full.log()).doesNotContain("LEAVE");
    }

    private static Parameters impatient(Parameters p) {
        return new Parameters(p.maxBandwidth(), p.maxPostcopyBandwidth(), p.downtimeLimitMillis(), 0, 5_000, 500, 50);
    }

    private void recovers(End source, End park, Relay relay) throws Exception {
        relay.setFault(FaultPlan.NONE);
        source.endpoint().migrate(relay.address(), true);
        bothCompleted(source, park);
        lot.unparkAndVerify(store, Lot.POSTCOPY);
    }
}
