// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.DEVICES;
import static io.godwit.store.Shelf.RAM;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.WEB1;
import static io.godwit.store.Shelf.handedOver;
import static io.godwit.store.Shelf.open;
import static io.godwit.store.Shelf.parked;
import static io.godwit.store.Shelf.read;
import static io.godwit.store.Shelf.state;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.godwit.page.Pages;
import io.godwit.sim.SimDisk;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A disk that is full, read-only, away, or does not sync: what the store says, and how it goes on. */
class DiskTroubleTest {
    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    private static void assertFails(ThrowingCallable call, StoreException.Kind kind, String... words) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StoreException.class, e -> {
            assertThat(e.kind()).isEqualTo(kind);
            assertThat(List.of(words)).allSatisfy(word -> assertThat(e).hasMessageContaining(word));
        });
    }

    /** Stores pages until the disk is asked. */
    private static void placeUntilItFails(StoreSink sink) {
        for (int page = 0; page < RAM_PAGES; page++) {
            sink.place(RAM, (page * 37) % RAM_PAGES, TestPages.of((page * 37) % RAM_PAGES + 1), 0);
        }
    }

    private static void complete(StoreSink sink) {
        for (int page = 0; page < RAM_PAGES; page++) {
            sink.place(RAM, page, TestPages.of(page + 1), 0);
        }
        for (int page = 0; page < ROM_PAGES; page++) {
            sink.placeZero(ROM, page);
        }
    }

    private static void assertComplete(VmStore store) {
        try (StoreSource source = store.source()) {
            for (int page = 0; page < RAM_PAGES; page++) {
                assertThat(read(source, RAM, page)).isEqualTo(TestPages.of(page + 1));
            }
        }
    }

    @Test
    void aPrecopyOntoAFullDiskFailsAndMayBeTriedAgain() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1, Shelf.FEW);
        disk.full(true);

        assertFails(
                () -> {
                    for (int page = RAM_PAGES - 1; page >= 0; page--) {
                        sink.store(RAM, page, TestPages.of(page), 0);
                    }
                },
                StoreException.Kind.FULL,
                "cannot write /vms/web1/ram-0",
                "free space");
        assertThat(state(store)).isEqualTo(new StoreState.Receiving());
        assertFails(() -> store.receive(WEB1), StoreException.Kind.FULL, "free space");

        disk.full(false);
        Shelf.fill(store.receive(WEB1));
        store.park(DEVICES, true);
        assertComplete(store);
    }

    @Test
    void aPostcopyOntoAFullDiskGoesOnOnceThereIsRoom() {
        VmStore store = open(disk);
        StoreSink sink = handedOver(store);
        disk.full(true);

        assertFails(() -> placeUntilItFails(sink), StoreException.Kind.FULL);
        assertFails(store::checkpoint, StoreException.Kind.FULL);
        long received = sink.received(RAM).cardinality();
        assertThat(received).as("what is not on disk yet is kept in memory").isPositive();

        disk.full(false);
        assertThat(store.checkpoint()).isEqualTo(received);
        complete(sink);
        store.park(null, true);
        assertComplete(store);
    }

    @Test
    void theCommitFindsRoomOnAFullDisk() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        sink.beginPostcopy();
        disk.full(true);

        store.handOver(new StoredDevices(new byte[0], new byte[900_000], null));

        assertThat(state(store)).isEqualTo(new StoreState.ReceivingPostcopy());
    }

    @Test
    void inPrecopyOnlyMuchIsSyncedAheadAndIfThatFailsSoDoesThePrecopy() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        Shelf.fill(sink);
        disk.failSyncs(0, 1);
        assertThat(store.checkpoint()).as("too little for a sync").isZero();

        for (int pages = 0; pages < (64 << 20) / Pages.SIZE; pages++) {
            sink.store(RAM, pages % RAM_PAGES, TestPages.of(1), 0);
        }
        assertFails(store::checkpoint, StoreException.Kind.SYNC_FAILED, "cannot make");
        assertFails(
                () -> sink.store(RAM, 3, TestPages.of(4), 0), StoreException.Kind.SYNC_FAILED, "cannot make", "ram-0");
        assertFails(() -> store.park(DEVICES, true), StoreException.Kind.SYNC_FAILED);
        assertThat(state(store)).isEqualTo(new StoreState.Receiving());

        Shelf.fill(store.receive(WEB1));
        assertThat(store.checkpoint()).isZero();
        store.park(DEVICES, true);
        assertComplete(store);
    }

    @Test
    void afterAFailedSyncNoPageIsTakenUntilTheStoreWasRolledBack() {
        VmStore store = open(disk);
        StoreSink sink = handedOver(store);
        sink.place(RAM, 1, TestPages.of(2), 0);
        store.checkpoint();
        sink.place(RAM, 2, TestPages.of(3), 0);
        disk.failSyncs(0, 1);

        assertFails(store::checkpoint, StoreException.Kind.SYNC_FAILED, "since the last checkpoint counts as lost");
        assertFails(() -> sink.place(RAM, 3, TestPages.of(4), 0), StoreException.Kind.SYNC_FAILED, "rolled back");
        assertFails(store::checkpoint, StoreException.Kind.SYNC_FAILED, "rolled back");
        assertThat(sink.received(RAM).get(2)).isTrue();

        disk.failSyncs(0, 1);
        assertFails(store::rollBack, StoreException.Kind.BROKEN, "try again");
        assertFails(() -> sink.place(RAM, 3, TestPages.of(4), 0), StoreException.Kind.SYNC_FAILED);
        store.rollBack();

        assertThat(sink.received(RAM).cardinality()).isEqualTo(1);
        complete(sink);
        store.park(null, true);
        disk.losePower();
        disk.boot();
        assertComplete(open(disk));
    }

    @Test
    void aRecordThatWasNotSyncedIsNotBelievedAfterARollBack() {
        VmStore store = open(disk);
        StoreSink sink = handedOver(store);
        sink.place(RAM, 1, TestPages.of(2), 0);
        store.checkpoint();
        sink.place(RAM, 5, TestPages.of(6), 0);
        disk.failSyncs(2, 1);
        assertFails(store::checkpoint, StoreException.Kind.SYNC_FAILED, "presence");
        store.rollBack();
        sink.place(RAM, 5, TestPages.of(7), 0);

        disk.killProcess();

        StoreSink resumed = open(disk).resumeReceiving();
        assertThat(resumed.received(RAM).get(1)).isTrue();
        assertThat(resumed.received(RAM).get(5)).isFalse();
    }

    @Test
    void aFailedSyncOfTheCommitIsMendedByDoingItAgain() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        sink.beginPostcopy();
        disk.failSyncs(0, 1);

        assertFails(() -> store.handOver(Shelf.BLOB), StoreException.Kind.BROKEN, "try again");
        assertThat(state(store)).isEqualTo(new StoreState.Receiving());
        store.handOver(Shelf.BLOB);

        disk.losePower();
        disk.boot();
        assertThat(state(open(disk))).isEqualTo(new StoreState.ReceivingPostcopy());
    }

    @Test
    void aCommitThatAKilledProcessDidNotSyncIsMadeDurableBeforeItIsBelieved() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        sink.beginPostcopy();
        disk.failSyncs(0, 1);
        assertFails(() -> store.handOver(Shelf.BLOB), StoreException.Kind.BROKEN);
        disk.killProcess();

        assertThat(state(open(disk))).isEqualTo(new StoreState.ReceivingPostcopy());
        disk.losePower();
        disk.boot();

        VmStore again = open(disk);
        assertThat(state(again)).isEqualTo(new StoreState.ReceivingPostcopy());
        complete(again.resumeReceiving());
        again.park(null, true);
        assertThat(again.devices()).isEqualTo(Shelf.BLOB);
    }

    @Test
    void aParkThatFailedAtItsLastStepMayBeTriedAgain() {
        VmStore store = open(disk);
        complete(handedOver(store));
        store.checkpoint();
        disk.failSyncs(2, 1);
        assertFails(() -> store.park(null, true), StoreException.Kind.BROKEN, "manifest.json.new");

        store.park(null, true);

        assertComplete(store);
    }

    @Test
    void aFailedSyncAtTheEndOfAPrecopyFailsItAndSaysSo() {
        VmStore store = open(disk);
        Shelf.fill(store.receive(WEB1));
        disk.failSyncs(0, 1);

        assertFails(() -> store.park(DEVICES, true), StoreException.Kind.SYNC_FAILED);
        assertThat(state(store)).isEqualTo(new StoreState.Receiving());
        assertFails(() -> store.park(DEVICES, true), StoreException.Kind.SYNC_FAILED);

        Shelf.fill(store.receive(WEB1));
        store.park(DEVICES, true);
        assertComplete(store);
    }

    /** Whatever the power leaves, and for whoever opens it next. */
    private static void assertReceivingForEverybody(SimDisk disk) {
        for (int chance = 0; chance < 8; chance++) {
            SimDisk left = disk.asAfterPowerLoss(new SplittableRandom(chance));
            assertThat(state(open(left))).isEqualTo(new StoreState.Receiving());
        }
        disk.killProcess();
        assertThat(state(open(disk))).isEqualTo(new StoreState.Receiving());
    }

    @Test
    void aPrecopyOfWhichTheSourceIsToldThatItFailedIsParkedForNobody() {
        int failures = 0;
        for (int good = 0; ; good++) {
            SimDisk one = new SimDisk(new SplittableRandom(good));
            VmStore store = open(one);
            StoreSink sink = store.receive(WEB1);
            Shelf.fill(sink);
            one.failSyncs(good, 1);
            if (catchThrowable(() -> store.park(DEVICES, true)) == null) {
                break;
            }
            failures++;
            assertThat(store.undecided()).isFalse();
            sink.reset();
            assertReceivingForEverybody(one);
        }
        assertThat(failures).as("syncs that failed").isEqualTo(10);
    }

    @Test
    void whereTheDiskTakesNeitherAllOfItStaysUntilTheDiskHasDecided() {
        int undecided = 0;
        int found = 0;
        for (int seed = 0; seed < 20; seed++) {
            SimDisk one = new SimDisk(new SplittableRandom(seed));
            VmStore store = open(one);
            Shelf.fill(store.receive(WEB1));
            one.failSyncs(9, 3);
            assertFails(() -> store.park(DEVICES, false), StoreException.Kind.BROKEN, "the names in /vms/web1");
            assertThat(store.undecided()).isTrue();
            assertFails(store::settle, StoreException.Kind.BROKEN);
            undecided++;

            VmStore next = open(one.asAfterPowerLoss(new SplittableRandom(seed)));
            if (state(next) instanceof StoreState.ParkedUnconfirmed) {
                assertComplete(next);
                found++;
            }

            store.settle();
            assertThat(store.undecided()).isFalse();
            assertReceivingForEverybody(one);
        }
        assertThat(found).as("parked all the same").isBetween(1, undecided - 1);
    }

    /** Its bytes are synced and its manifest says so: that a file does not close (a network file system) fails nothing, above all not in the source's ears. */
    @Test
    void aVmWhoseFilesDoNotCloseIsParkedAllTheSame() {
        Disk reluctant = (Disk) Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, method, given) -> method.getName().equals("openForWriting")
                                && String.valueOf(given[0]).endsWith("ram-0")
                        ? neverClosing((DiskFile) method.invoke(disk, given))
                        : method.invoke(disk, given));
        VmStore store = open(reluctant);
        StoreSink sink = store.receive(WEB1);
        Shelf.fill(sink);

        store.park(DEVICES, true);

        assertThat(state(store)).isEqualTo(new StoreState.Parked());
        assertThatThrownBy(() -> sink.storeZero(RAM, 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the VM is complete");
        assertFails(store::close, StoreException.Kind.BROKEN, "cannot close");
        assertComplete(open(disk));
    }

    private static DiskFile neverClosing(DiskFile file) {
        return (DiskFile) Proxy.newProxyInstance(
                DiskFile.class.getClassLoader(), new Class<?>[] {DiskFile.class}, (_, method, given) -> {
                    if (method.getName().equals("close")) {
                        throw new DiskException(DiskException.Kind.BROKEN, "cannot close it");
                    }
                    return method.invoke(file, given);
                });
    }

    @Test
    void aReadOnlyFileSystemAndOneThatIsAwayAreNamed() {
        VmStore store = parked(disk, true);

        disk.readOnly(true);
        assertFails(() -> store.leave(Shelf.TO_B, false), StoreException.Kind.UNUSABLE, "read-only", "remount");
        assertThat(state(store)).isEqualTo(new StoreState.Parked());
        assertComplete(store);
        disk.readOnly(false);

        disk.vanished(true);
        assertFails(store::source, StoreException.Kind.BROKEN, "cannot reach");
        assertFails(() -> store.leave(Shelf.TO_B, false), StoreException.Kind.BROKEN, "cannot reach");
        disk.vanished(false);
        store.leave(Shelf.TO_B, false);
        store.close();
        disk.readOnly(true);
        assertFails(() -> open(disk), StoreException.Kind.UNUSABLE, "read-only");
    }
}
