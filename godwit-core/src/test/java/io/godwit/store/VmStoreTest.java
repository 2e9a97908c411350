// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.BLOB;
import static io.godwit.store.Shelf.DEVICES;
import static io.godwit.store.Shelf.RAM;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.WEB1;
import static io.godwit.store.Shelf.assertRefused;
import static io.godwit.store.Shelf.handedOver;
import static io.godwit.store.Shelf.open;
import static io.godwit.store.Shelf.parked;
import static io.godwit.store.Shelf.read;
import static io.godwit.store.Shelf.state;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.sim.PowerLoss;
import io.godwit.sim.SimDisk;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class VmStoreTest {
    /** A few bytes of a stream say so; its bitmaps alone would have 8 GiB. */
    @Test
    void moreRamThanTheHeapCanKeepAccountOfIsRefusedBeforeAnythingIsAllocated() {
        VmStore store = open(new SimDisk(new SplittableRandom(1)));
        Arrival huge = new Arrival("pc", List.of(BlockInfo.of("pc.ram", 1L << 46)), 2, null, null, null, -1);

        assertRefused(
                () -> store.receive(huge), StoreException.Kind.REFUSED, "65536 GiB of RAM", "8192 MiB of heap", "-Xmx");
        assertThat(store.manifest()).isNull();
    }

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    @Test
    void aVmParkedByPrecopyIsThereAfterAPowerLoss() {
        parked(disk, true);

        disk.losePower();
        disk.boot();

        try (VmStore store = open(disk);
                StoreSource source = store.source()) {
            assertThat(state(store)).isEqualTo(new StoreState.Parked());
            assertThat(Objects.requireNonNull(store.manifest()).arrival()).isEqualTo(WEB1);
            assertThat(store.devices()).isEqualTo(DEVICES);
            for (int page = 0; page < RAM_PAGES; page++) {
                assertThat(source.isZero(RAM, page)).isFalse();
                assertThat(read(source, RAM, page)).isEqualTo(TestPages.of(page + 1));
            }
            assertThat(source.isZero(ROM, 2)).isTrue();
            assertThat(read(source, ROM, 2)).isEqualTo(TestPages.of(0));
        }
    }

    @Test
    void aBlocksNameIsNeverAFilesName() throws DiskException {
        parked(disk, true).close();

        assertThat(disk.list(Shelf.FOLDER))
                .containsExactly("devices", "digest-0", "digest-1", "manifest.json", "presence", "ram-0", "ram-1");
    }

    @Test
    void theLaterOfTwoPagesWinsInPrecopyAndADiscardedOneLacks() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        Shelf.fill(sink);
        sink.store(RAM, 7, TestPages.of(70), 0);
        sink.store(RAM, 7, TestPages.of(71), 0);
        sink.storeZero(RAM, 8);
        sink.storeZero(RAM, 9);
        sink.store(RAM, 9, TestPages.of(90), 0);
        ByteBuffer current = ByteBuffer.allocate(3 * Pages.SIZE);
        sink.read(RAM, 7, current);
        sink.read(RAM, 8, current);
        assertThat(current.slice(0, Pages.SIZE)).isEqualTo(TestPages.of(71));
        assertThat(current.slice(Pages.SIZE, Pages.SIZE)).isEqualTo(TestPages.of(0));

        sink.discard(RAM, 20, 5);
        assertThat(sink.missing()).isEqualTo(5);
        assertRefused(() -> store.park(DEVICES, true), StoreException.Kind.REFUSED, "5 pages have not come");
        for (int page = 20; page < 25; page++) {
            sink.store(RAM, page, TestPages.of(page), 0);
        }
        store.park(DEVICES, true);

        try (StoreSource source = store.source()) {
            assertThat(read(source, RAM, 7)).isEqualTo(TestPages.of(71));
            assertThat(source.isZero(RAM, 8)).isTrue();
            assertThat(read(source, RAM, 9)).isEqualTo(TestPages.of(90));
            assertThat(read(source, RAM, 21)).isEqualTo(TestPages.of(21));
        }
        byte[] file = Objects.requireNonNull(disk.peek(Shelf.FOLDER.resolve("ram-0")));
        assertThat(ByteBuffer.wrap(file, 8 * Pages.SIZE, Pages.SIZE).slice())
                .as("the RAM file is the block's memory, zero pages included")
                .isEqualTo(TestPages.of(0));
    }

    @Test
    void aPresentPageIsNotPlacedTwice() {
        StoreSink sink = handedOver(open(disk));

        assertThat(sink.place(RAM, 3, TestPages.of(3), 0)).isTrue();
        assertThat(sink.place(RAM, 3, TestPages.of(4), 0)).isFalse();
        assertThat(sink.placeZero(RAM, 3)).isFalse();
        assertThat(sink.placeZero(RAM, 4)).isTrue();
        assertThat(sink.place(RAM, 4, TestPages.of(4), 0)).isFalse();
        assertThat(sink.missing()).isEqualTo(RAM_PAGES + ROM_PAGES - 2);
    }

    @Test
    void aPostcopyGoesOnInANewProcessFromTheLastCheckpoint() {
        VmStore store = open(disk);
        StoreSink sink = handedOver(store);
        for (int page = 0; page < 50; page++) {
            sink.place(RAM, page, TestPages.of(page + 1), 0);
        }
        sink.placeZero(RAM, 50);
        assertThat(store.checkpoint()).isEqualTo(51);
        sink.place(RAM, 60, TestPages.of(61), 0);

        disk.losePower();
        disk.boot();

        VmStore again = open(disk);
        assertThat(state(again)).isEqualTo(new StoreState.ReceivingPostcopy());
        StoreSink resumed = again.resumeReceiving();
        assertThat(resumed.received(RAM).cardinality()).isEqualTo(51);
        assertThat(resumed.isPostcopy()).isTrue();
        assertThat(resumed.place(RAM, 49, TestPages.of(1000), 0)).isFalse();
        for (int page = 51; page < RAM_PAGES; page++) {
            assertThat(resumed.place(RAM, page, TestPages.of(page + 1), 0)).isTrue();
        }
        for (int page = 0; page < ROM_PAGES; page++) {
            resumed.placeZero(ROM, page);
        }
        again.park(null, false);
        assertThat(state(again)).isEqualTo(new StoreState.ParkedUnconfirmed());

        try (StoreSource source = again.source()) {
            assertThat(again.devices()).isEqualTo(BLOB);
            for (int page = 0; page < RAM_PAGES; page++) {
                assertThat(read(source, RAM, page)).isEqualTo(TestPages.of(page == 50 ? 0 : page + 1));
            }
        }
    }

    @Test
    void theCommitIsTheDeviceFileAlone() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(WEB1);
        sink.beginPostcopy();
        long before = disk.operations();
        store.handOver(BLOB);
        assertThat(disk.operations() - before).as("open, write, sync").isEqualTo(3);

        disk.losePower();
        disk.boot();

        assertThat(state(open(disk))).isEqualTo(new StoreState.ReceivingPostcopy());
    }

    @Test
    void thePrecopyOfADeadProcessBeginsAnew() {
        Shelf.fill(open(disk).receive(WEB1));

        disk.killProcess();

        VmStore again = open(disk);
        assertThat(state(again)).isEqualTo(new StoreState.Receiving());
        assertRefused(again::resumeReceiving, StoreException.Kind.REFUSED, "receiving");
        assertRefused(again::source, StoreException.Kind.REFUSED, "before all have come");
        assertThat(again.receive(WEB1).missing()).isEqualTo(RAM_PAGES + ROM_PAGES);
        assertThat(Objects.requireNonNull(again.manifest()).attempt()).isEqualTo(2);
    }

    @Test
    void aDamagedPageIsNamedAndNotGiven() {
        VmStore store = parked(disk, true);
        disk.damage(Shelf.FOLDER.resolve("ram-0"), 123 * Pages.SIZE + 5L, 1);

        try (StoreSource source = store.source()) {
            ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
            assertThatThrownBy(() -> source.read(RAM, 123, out))
                    .isInstanceOfSatisfying(DamagedPageException.class, e -> {
                        assertThat(e.block()).isEqualTo("pc.ram");
                        assertThat(e.page()).isEqualTo(123);
                        assertThat(e.file()).isEqualTo(Shelf.FOLDER.resolve("ram-0"));
                    })
                    .hasMessageContaining("page 123 of RAM block 'pc.ram'");
            assertThat(out.position()).isZero();
            assertThat(read(source, RAM, 122)).isEqualTo(TestPages.of(123));
            assertThat(read(source, RAM, 124)).isEqualTo(TestPages.of(125));
        }
    }

    @Test
    void aGoodPageInAnothersPlaceIsDamageToo() throws DiskException {
        VmStore store = parked(disk, true);
        try (DiskFile ram = disk.openForWriting(Shelf.FOLDER.resolve("ram-0"));
                DiskFile digests = disk.openForWriting(Shelf.FOLDER.resolve("digest-0"))) {
            ByteBuffer digest = ByteBuffer.allocate(8);
            digests.read(digest, 5 * 8);
            ram.write(TestPages.of(6), 9 * Pages.SIZE);
            digests.write(digest.flip(), 9 * 8);
        }

        try (StoreSource source = store.source()) {
            assertThatThrownBy(() -> read(source, RAM, 9)).isInstanceOf(DamagedPageException.class);
        }
    }

    @Test
    void aDamagedManifestPresenceOrDeviceFileIsNamed() {
        parked(disk, true).close();

        disk.damage(Shelf.FOLDER.resolve("devices"), 45, 1);
        try (VmStore store = open(disk)) {
            assertRefused(store::devices, StoreException.Kind.CORRUPT, "file devices");
        }
        disk.damage(Shelf.FOLDER.resolve("presence"), 60, 1);
        try (VmStore store = open(disk)) {
            assertRefused(store::source, StoreException.Kind.CORRUPT, "file presence", "lacks 203 pages");
        }
        disk.damage(Shelf.FOLDER.resolve("manifest.json"), 40, 1);
        assertRefused(() -> open(disk), StoreException.Kind.CORRUPT, "manifest.json cannot be used");
    }

    @Test
    void aSecondUseOfTheFolderIsRefused() {
        VmStore store = open(disk);

        assertRefused(() -> open(disk), StoreException.Kind.LOCKED, "one process at a time");
        store.close();
        open(disk).close();
    }

    @Test
    void whatIsNotThereIsNotOpened() {
        assertRefused(
                () -> VmStore.openExisting(disk, Shelf.FOLDER, InstantSource.system(), "1"),
                StoreException.Kind.MISSING,
                "no parked VM in /vms/web1");
        assertThat(disk.isFolder(Shelf.FOLDER)).isFalse();
    }

    @Test
    void aRemovedVmLeavesNothing() {
        VmStore store = parked(disk, true);
        assertRefused(() -> Removal.remove(store, false), StoreException.Kind.REFUSED, "--force");

        Removal.remove(store, true);

        assertThat(disk.isFolder(Shelf.FOLDER)).isFalse();
        assertThat(disk.isFolder(Path.of("/vms"))).isTrue();
    }

    @Test
    void aRemovalThatIsCutShortLeavesTheVmOrNone() {
        for (int cut = 0; ; cut++) {
            SimDisk fresh = new SimDisk(new SplittableRandom(cut));
            VmStore store = parked(fresh, true);
            fresh.losePowerAt(fresh.operations() + cut);
            try {
                Removal.remove(store, true);
                assertThat(cut).isGreaterThan(8);
                return;
            } catch (PowerLoss _) {
                fresh.boot();
            }
            VmStore again = open(fresh);
            if (again.manifest() != null) {
                try (StoreSource source = again.source()) {
                    assertThat(Verification.run(source, _ -> {}).isWhole()).isTrue();
                }
            }
            Removal.remove(again, true);
            assertThat(fresh.isFolder(Shelf.FOLDER)).isFalse();
        }
    }

    @Test
    void besideAStrangersFileARemovalIsDurableToo() throws DiskException {
        VmStore store = parked(disk, true);
        disk.openForWriting(Shelf.FOLDER.resolve("notes.txt")).close();
        disk.syncFolder(Shelf.FOLDER);

        Removal.remove(store, true);
        disk.losePower();
        disk.boot();

        assertThat(disk.list(Shelf.FOLDER)).containsExactly("notes.txt");
    }

    /** Attempts are counted from 1 in each VM's life: what says that the old one was handed over must not say so of the new one. */
    @Test
    void whatARemovalThatWasCutShortHasLeftIsNothingToTheNextVm() throws DiskException {
        for (int cut = 0; ; cut++) {
            SimDisk fresh = new SimDisk(new SplittableRandom(cut));
            VmStore old = open(fresh);
            StoreSink sink = Shelf.handedOver(old);
            for (int page = 0; page < RAM_PAGES; page++) {
                sink.placeZero(RAM, page);
            }
            for (int page = 0; page < ROM_PAGES; page++) {
                sink.placeZero(ROM, page);
            }
            old.park(null, true);
            // Deleted, and made durable: the manifest. Then the process ends.
            fresh.losePowerAt(fresh.operations() + 2);
            assertThatThrownBy(() -> Removal.remove(old, true)).isInstanceOf(PowerLoss.class);
            fresh.killProcess();
            assertThat(fresh.list(Shelf.FOLDER)).contains("devices").doesNotContain("manifest.json");

            VmStore store = open(fresh);
            fresh.losePowerAt(fresh.operations() + cut);
            try {
                store.receive(WEB1);
                assertThat(cut).isGreaterThan(15);
                return;
            } catch (PowerLoss _) {
                fresh.killProcess();
            }
            Manifest left = open(fresh).manifest();
            if (left != null) {
                assertThat(left.state()).isEqualTo(new StoreState.Receiving());
            }
        }
    }

    /** Nobody can know whether an operator's mkdir, or one of a killed process, was followed by a sync. */
    @Test
    void aFolderThatSomebodyElseHasMadeStaysWithItsVm() throws DiskException {
        for (int chance = 0; chance < 8; chance++) {
            SimDisk fresh = new SimDisk(new SplittableRandom(chance));
            fresh.createFolderDurably(Path.of("/vms"));
            fresh.createFolder(Shelf.FOLDER);
            parked(fresh, true);
            fresh.losePower();
            fresh.boot();
            assertThat(state(open(fresh))).isEqualTo(new StoreState.Parked());
        }
    }

    @Test
    void aFolderWhoseNameThisUserCannotMakeDurableIsRefused() {
        Path above = Path.of("/vms");
        Disk secretive = (Disk) Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, method, given) -> method.getName().equals("maySync") && above.equals(given[0])
                        ? false
                        : method.invoke(disk, given));
        VmStore store = open(secretive);

        assertRefused(() -> store.receive(WEB1), StoreException.Kind.UNUSABLE, "may not read /vms", "give the right");
        assertThat(store.manifest()).isNull();
        assertThat(disk.exists(Shelf.FOLDER.resolve(ManifestFile.NAME))).isFalse();
    }

    @Test
    void aRunStateIsReadFromTheDevices() {
        byte[] body = new byte[104];
        body[3] = 7;
        System.arraycopy("paused".getBytes(StandardCharsets.US_ASCII), 0, body, 4, 6);
        byte[] sections = DeviceSections.encode(List.of(new DeviceSectionBytes("globalstate", 0, 1, body)), 4);
        VmStore store = open(disk);
        Shelf.fill(store.receive(WEB1));

        store.park(new StoredDevices(new byte[0], sections, null), true);

        assertThat(Objects.requireNonNull(store.manifest()).runState()).isEqualTo("paused");
    }
}
