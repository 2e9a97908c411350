// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static io.godwit.engine.Lot.bothCompleted;
import static io.godwit.engine.Lot.toPostcopy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.engine.Lot.End;
import io.godwit.engine.Stepwise.Step;
import io.godwit.guest.ParkedGuest;
import io.godwit.net.Relay;
import io.godwit.protocol.MigrationStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A guest is parked and unparked, also by a process that goes on with what another left; it is never lost, never in two places, and never said to be safe before it is. */
@Timeout(60)
class ParkingIT {
    private final Lot lot = new Lot();
    private final MemoryStore store = new MemoryStore();

    @AfterEach
    void everybodyOut() throws Exception {
        lot.close();
    }

    // ---- all goes well

    @Test
    void comesByPrecopyAndGoesByPrecopy() throws Exception {
        MemoryStore full = lot.full();
        assertThat(full.log()).isEmpty();
        lot.unparkAndVerify(full, Lot.PRECOPY);
    }

    @Test
    void goesByPostcopyWithoutAFirstPass() throws Exception {
        MemoryStore full = lot.full();
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        park.diary().await(MigrationStatus.COMPLETED);
        destination.diary().await(MigrationStatus.COMPLETED);

        MigrationInfo.Ram sent = park.endpoint().info().ram();
        assertThat(sent.precopyBytes()).as("bytes of pages before the switch").isZero();
        assertThat(sent.normal() + sent.duplicate()).as("pages, each once").isEqualTo(sent.total() / 4096);
        lot.verifyLast(destination);
    }

    @Test
    void aPrecopyFromTheStoreSendsEveryPageOnce() throws Exception {
        End park = lot.parked(lot.full(), Lot.PRECOPY);
        End destination = lot.awaiting(Lot.PRECOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        park.diary().await(MigrationStatus.COMPLETED);
        MigrationInfo.Ram sent = park.endpoint().info().ram();
        assertThat(sent.normal() + sent.duplicate()).isEqualTo(sent.total() / 4096);
    }

    @Test
    void comesByPostcopyAndIsPausedWhileItComes() throws Exception {
        store.hold(Step.PARK);
        End park = lot.parked(store, Lot.POSTCOPY);
        assertThat(park.endpoint().runState()).isEqualTo("inmigrate");
        End source = lot.running(Lot.POSTCOPY);
        toPostcopy(source, park, lot.before(park));
        assertThat(park.endpoint().runState()).isEqualTo("paused");
        assertThatThrownBy(park.endpoint()::cont)
                .isInstanceOf(CommandRefused.class)
                .hasMessageContaining("runs nowhere");
        source.parameters(Pair::fast);
        Pair.eventually("the disk is at work", () -> store.log().contains("PARK waits"));
        Pair.pause(300);
        assertThat(source.diary().status()).as("nothing is safe yet").isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        store.release(Step.PARK);
        bothCompleted(source, park);
        assertThat(store.log()).containsSubsequence("RECEIVE", "HAND_OVER", "PARK");
        assertThat(park.endpoint().info().extra().sourceConfirmed()).isTrue();
        lot.unparkAndVerify(store, Lot.POSTCOPY);
    }

    @Test
    void whatComesInPostcopyIsMadeSureOfWhileMoreComes() throws Exception {
        End park = lot.parked(store, Lot.POSTCOPY);
        End source = lot.running(Lot.POSTCOPY);
        toPostcopy(source, park, lot.before(park));
        Pair.eventually("a first checkpoint", () -> store.log().contains("CHECKPOINT"));
        assertThat(park.diary().status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        source.parameters(Pair::fast);
        bothCompleted(source, park);
        lot.unparkAndVerify(store, Lot.POSTCOPY);
    }

    @Test
    void goesOnFromTheSamePlaceItCameTo() throws Exception {
        End source = lot.running(Lot.PRECOPY);
        End park = lot.parked(store, Lot.PRECOPY);
        source.endpoint().migrate(lot.before(park).address(), false);
        bothCompleted(source, park);
        End destination = lot.awaiting(Lot.PRECOPY);
        park.endpoint().migrate(lot.before(destination).address(), false);
        destination.diary().await(MigrationStatus.COMPLETED);
        Pair.eventually("the store knows", () -> store.log().contains("GONE"));
        assertThat(park.endpoint().runState()).isEqualTo("postmigrate");
        lot.verifyLast(destination);
    }

    // ---- without a return path

    @Test
    void withoutAReturnPathItIsRefusedAndSaidWhy() throws Exception {
        End source = lot.running();
        End park = lot.parked(store);
        source.endpoint().migrate(lot.before(park).address(), false);
        park.diary().await(MigrationStatus.FAILED);
        assertThat(park.endpoint().info().errorDesc()).contains("no return path", "--unsafe");
        assertThat(store.log()).isEmpty();
        source.diary().await(MigrationStatus.FAILED, MigrationStatus.COMPLETED);
    }

    @Test
    void whoInsistsGetsItUnconfirmed() throws Exception {
        End source = lot.running();
        End park = lot.parked(store, true);
        source.endpoint().migrate(lot.before(park).address(), false);
        bothCompleted(source, park);
        assertThat(park.endpoint().info().extra().sourceConfirmed()).isFalse();
        assertThat(store.confirmed()).isFalse();
    }

    // ---- Godwit itself is killed

    @Test
    void aParkThatWasInterruptedGoesOnInANewProcess() throws Exception {
        End source = lot.running(Lot.POSTCOPY);
        End park = lot.parked(store, Lot.POSTCOPY);
        toPostcopy(source, park, lot.before(park));
        park.endpoint().close();
        source.diary().await(MigrationStatus.POSTCOPY_PAUSED);

        MemoryStore again = store.restarted();
        End reborn = lot.parked(again);
        assertThat(reborn.endpoint().info().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(reborn.endpoint().runState()).isEqualTo("paused");
        reborn.endpoint().migrateRecover(Lot.ANYWHERE);
        source.parameters(Pair::fast);
        source.endpoint().migrate(reborn.endpoint().info().listening().getFirst(), true);
        bothCompleted(source, reborn);
        lot.unparkAndVerify(again, Lot.POSTCOPY);
    }

    @Test
    void anUnparkThatWasInterruptedGoesOnInANewProcess() throws Exception {
        MemoryStore full = lot.full();
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        Relay relay = lot.before(destination);
        park.parameters(Pair::slow);
        park.endpoint().migrate(relay.address(), false);
        destination.diary().await(MigrationStatus.POSTCOPY_ACTIVE);
        park.endpoint().close();
        destination.diary().await(MigrationStatus.POSTCOPY_PAUSED);

        MemoryStore again = full.restarted();
        End reborn = lot.parked(again, Lot.POSTCOPY);
        assertThat(reborn.endpoint().info().status()).isEqualTo(MigrationStatus.UNCERTAIN);
        assertThatThrownBy(() -> reborn.endpoint().migrate(relay.address(), false))
                .isInstanceOf(CommandRefused.class);
        reborn.endpoint().migrate(relay.address(), true);
        reborn.diary().await(MigrationStatus.COMPLETED);
        destination.diary().await(MigrationStatus.COMPLETED);
        lot.verifyLast(destination);
        Pair.eventually("the store knows", () -> again.log().contains("GONE"));
    }

    @Test
    void whoLeftWithoutArrivingIsTakenBackByAWord() throws Exception {
        MemoryStore full = lot.full();
        End park = lot.parked(full, Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        Relay relay = lot.before(destination);
        full.hold(Step.STAY);
        park.endpoint().migrate(relay.address(), false);
        destination.diary().await(MigrationStatus.ACTIVE);
        Pair.eventually("it leaves", () -> full.restarted().phase() instanceof ParkedGuest.Leaving);
        MemoryStore again = full.restarted();
        full.release(Step.STAY);
        park.endpoint().close();

        End reborn = lot.parked(again, Lot.POSTCOPY);
        assertThat(reborn.endpoint().info().status()).isEqualTo(MigrationStatus.UNCERTAIN);
        reborn.endpoint().migrateResolve(Owner.SOURCE);
        Pair.eventually("it is parked again", () -> again.log().contains("STAY"));
        assertThat(reborn.endpoint().runState()).isEqualTo("paused");
    }
}
