// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.BLOB;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.TO_B;
import static io.godwit.store.Shelf.WEB1;
import static io.godwit.store.Shelf.assertRefused;
import static io.godwit.store.Shelf.open;
import static io.godwit.store.Shelf.parked;
import static io.godwit.store.Shelf.state;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.sim.SimDisk;
import java.time.Instant;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** To whom a VM belongs as its store says it: here, its destination's from the commit point on, its source's again; by what is proven, and by an operator's word. */
class OwnershipTest {
    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    @Test
    void aVmLeavesOnceAndIsTakenBackOnlyExplicitly() {
        VmStore store = parked(disk, true);
        assertThat(store.whyNotLeave(false)).isNull();
        store.leave(TO_B, false);
        store.close();

        VmStore again = open(disk);
        assertThat(state(again)).isEqualTo(new StoreState.Leaving(TO_B, true));
        assertRefused(
                () -> again.leave(TO_B, true), StoreException.Kind.REFUSED, "leaving to tcp:b:4445", "may run there");
        assertRefused(() -> again.receive(WEB1), StoreException.Kind.REFUSED, "leaving");
        assertRefused(
                () -> Removal.remove(again, true), StoreException.Kind.REFUSED, "its destination may still need it");

        again.takeBack();
        assertThat(state(again)).isEqualTo(new StoreState.Parked());
        again.leave(TO_B, false);
        again.gone("the destination has completed");
        assertRefused(() -> again.leave(TO_B, true), StoreException.Kind.REFUSED, "gone to tcp:b:4445", "old copy");
        assertRefused(again::takeBack, StoreException.Kind.REFUSED, "gone");
    }

    @Test
    void whereNothingConfirmsThatItArrivedAnOperatorsWordDoes() {
        VmStore store = parked(disk, true);
        assertRefused(() -> store.arrived(true), StoreException.Kind.REFUSED, "parked");
        StoreState.Departure file = new StoreState.Departure("file:/f", null, false, 7, Instant.EPOCH);
        store.leave(file, false);
        store.arrived(false);
        assertThat(state(store))
                .isEqualTo(new StoreState.Gone(file, "an operator has said that its destination has it"));
        assertRefused(() -> store.arrived(true), StoreException.Kind.REFUSED, "gone");
        store.close();
        assertThat(state(open(disk))).isInstanceOf(StoreState.Gone.class);
    }

    @Test
    void afterAPostcopyTheWordMustSayThatTheMemoryIsThereToo() {
        VmStore store = parked(disk, true);
        store.leave(new StoreState.Departure("exec:x", null, true, 7, Instant.EPOCH), false);
        assertRefused(
                () -> store.arrived(false), StoreException.Kind.REFUSED, "leaving", "left by postcopy", "--whole");
        assertThat(state(store)).isInstanceOf(StoreState.Leaving.class);
        store.arrived(true);
        assertThat(state(store)).isInstanceOf(StoreState.Gone.class);
    }

    @Test
    void anUnconfirmedVmNeedsAWordAndStaysUnconfirmedWhenTakenBack() {
        VmStore store = parked(disk, false);

        assertRefused(
                () -> store.leave(TO_B, false), StoreException.Kind.REFUSED, "may have resumed it", "say explicitly");
        store.leave(TO_B, true);
        store.takeBack();
        assertThat(state(store)).isEqualTo(new StoreState.ParkedUnconfirmed());
        store.confirm();
        store.confirm();
        assertThat(state(store)).isEqualTo(new StoreState.Parked());
        assertRefused(() -> store.disown("x"), StoreException.Kind.REFUSED, "parked");
    }

    @Test
    void aSourceCanTakeBackWhatItHandedOverAndThenAnotherParkBegins() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        sink.beginPostcopy();
        store.handOver(BLOB);
        assertRefused(() -> store.disown("x"), StoreException.Kind.REFUSED, "while its pages are received");
        disk.killProcess();

        VmStore again = open(disk);
        again.disown("the source runs it again");

        assertThat(state(again)).isEqualTo(new StoreState.Gone(null, "the source runs it again"));
        assertRefused(again::resumeReceiving, StoreException.Kind.REFUSED, "gone");
        assertThat(again.receive(WEB1).missing()).isEqualTo(RAM_PAGES + ROM_PAGES);
    }

    @Test
    void aVmThatItsSourceHasResumedIsAnOldCopy() {
        VmStore store = parked(disk, false);

        store.disown("the source runs it again");

        assertThat(state(store)).isEqualTo(new StoreState.Gone(null, "the source runs it again"));
        assertThat(store.whyNotLeave(true)).contains("old copy");
    }

    @Test
    void aCloneLeavesTheVmWhereItIs() {
        VmStore store = parked(disk, true);

        store.leaveAsClone(TO_B, false);
        store.leaveAsClone(TO_B, false);
        store.close();

        VmStore again = open(disk);
        assertThat(state(again)).isEqualTo(new StoreState.Parked());
        assertThat(Objects.requireNonNull(again.manifest()).clones()).isEqualTo(2);
        assertThat(Objects.requireNonNull(again.manifest()).lastClone()).isEqualTo(TO_B);
    }
}
