// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.DEVICES;
import static io.godwit.store.Shelf.RAM;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.open;
import static io.godwit.store.Shelf.parked;
import static io.godwit.store.Shelf.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.Pages;
import io.godwit.sim.SimDisk;
import io.godwit.wire.DescribedDevice;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExportTest {
    private static final Path OTHER = Path.of("/vms/other");

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    private static StoredDevices devices() {
        byte[] sections = DeviceSections.encode(
                List.of(new DeviceSectionBytes("timer", 0, 2, "tick".getBytes(StandardCharsets.US_ASCII))), 5);
        byte[] description =
                ("{\"page_size\": 4096, \"devices\": [{\"name\": \"timer\", \"instance_id\": 0, \"size\": 4, "
                                + "\"fields\": [{\"name\": \"data\", \"size\": 4, \"type\": \"buffer\"}]}]}")
                        .getBytes(StandardCharsets.US_ASCII);
        return new StoredDevices(new byte[0], sections, description);
    }

    private static byte[] export(VmStore store) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        List<Long> progress = new ArrayList<>();
        try (StoreSource source = store.source()) {
            long written = StreamExport.write(
                    Objects.requireNonNull(store.manifest()),
                    store.devices(),
                    source,
                    Channels.newChannel(bytes),
                    progress::add);
            assertThat(written).isEqualTo(bytes.size());
            assertThat(progress).isSorted().last().isEqualTo(source.blocks().totalPages());
        }
        return bytes.toByteArray();
    }

    private static void load(byte[] stream, VmStore store) throws IOException {
        StreamImport.read(Channels.newChannel(new ByteArrayInputStream(stream)), store, true, _ -> {});
    }

    @Test
    void whatIsExportedAsAStreamIsImportedAsTheSameVm() throws IOException {
        VmStore store = open(disk);
        Shelf.fill(store.receive(Shelf.WEB1));
        store.park(devices(), true);

        byte[] stream = export(store);
        VmStore copy = open(disk, OTHER);
        load(stream, copy);

        Manifest manifest = Objects.requireNonNull(copy.manifest());
        assertThat(manifest.state()).isEqualTo(new StoreState.Parked());
        assertThat(manifest.arrival().blocks()).isEqualTo(Shelf.WEB1.blocks());
        assertThat(manifest.arrival().machine()).isEqualTo(Shelf.WEB1.machine());
        assertThat(manifest.arrival().ramSectionId()).isEqualTo(2);
        assertThat(copy.devices()).isEqualTo(devices());
        for (String file : List.of("ram-0", "ram-1", "digest-0", "digest-1")) {
            assertThat(disk.peek(OTHER.resolve(file))).as(file).isEqualTo(disk.peek(Shelf.FOLDER.resolve(file)));
        }
        assertThat(export(copy)).isEqualTo(stream);
    }

    /** Of a VM that came by postcopy nobody said what its devices are; older stores have {} of it. */
    @Test
    void aVmThatCameWithoutADescriptionIsDescribed() throws WireException {
        StoredDevices sections = devices();
        for (byte[] described : new byte[][] {null, "{}".getBytes(StandardCharsets.US_ASCII), {'{'}}) {
            StoredDevices came = new StoredDevices(sections.late(), sections.late(), described);
            assertThat(DeviceSections.cut(
                            came.late(),
                            DescribedDevice.parse(came.description(), 0).subList(1, 2)))
                    .hasSize(1);
        }
        byte[] own = "{\"devices\": [{}]}".getBytes(StandardCharsets.US_ASCII);
        assertThat(new StoredDevices(sections.early(), sections.late(), own).description())
                .isSameAs(own);
        assertThat(new StoredDevices(sections.early(), new byte[] {1}, null).description())
                .as("what cannot be told apart")
                .asString(StandardCharsets.US_ASCII)
                .isEqualTo("{}");
    }

    /** As a QEMU with suppress-vmdesc=on saves it, and as an older Godwit exported a VM that had come by postcopy. */
    @ParameterizedTest
    @ValueSource(strings = {"", "{}"})
    void aFileThatDoesNotDescribeItsDevicesEndsWhereItEnds(String said, @TempDir Path folder) throws IOException {
        VmStore store = open(disk);
        Shelf.fill(store.receive(Shelf.WEB1));
        store.park(devices(), true);
        byte[] whole = export(store);
        int end = whole.length - Objects.requireNonNull(devices().vmDescription()).length - 5;
        byte[] tail = said.isEmpty()
                ? new byte[0]
                : StreamEncoder.bytes(new StreamMessage.VmDescription(said.getBytes(StandardCharsets.US_ASCII)));
        byte[] stream = ByteBuffer.allocate(end + tail.length)
                .put(whole, 0, end)
                .put(tail)
                .array();

        VmStore copy = open(disk, OTHER);
        load(stream, copy);
        assertThat(copy.devices().late()).isEqualTo(devices().late());
        assertThat(export(copy)).isEqualTo(whole);
        try (FileChannel file = fresh(folder)) {
            exportMapped(store, file);
            long mappedEnd = file.size() - (whole.length - end);
            file.truncate(mappedEnd).write(ByteBuffer.wrap(tail), mappedEnd);
            VmStore third = open(disk, Path.of("/vms/third"));
            StreamImport.readFile(file.position(0), third, true, _ -> {});
            assertThat(third.devices().late()).isEqualTo(devices().late());
            assertThat(export(third)).isEqualTo(whole);
        }
    }

    @Test
    void aStreamThatEndsTooSoonOrIsNoneIsRefusedAndTheStoreWaitsForAnother() throws IOException {
        VmStore store = open(disk);
        Shelf.fill(store.receive(Shelf.WEB1));
        store.park(devices(), true);
        byte[] stream = export(store);
        VmStore copy = open(disk, OTHER);

        for (int cut : new int[] {0, 7, 300, 50_000, stream.length - 1}) {
            assertThatThrownBy(() -> load(Arrays.copyOf(stream, cut), copy))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("ends at byte " + cut);
        }
        assertThatThrownBy(() -> load("not a stream".getBytes(StandardCharsets.US_ASCII), copy))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("no migration stream");
        load(stream, copy);
        assertThat(Shelf.state(copy)).isEqualTo(new StoreState.Parked());
    }

    private static void exportMapped(VmStore store, FileChannel file) throws IOException {
        List<Long> progress = new ArrayList<>();
        try (StoreSource source = store.source()) {
            MappedExport.write(
                    Objects.requireNonNull(store.manifest()),
                    store.devices(),
                    source,
                    (position, bytes) -> file.write(bytes, position),
                    progress::add);
            assertThat(progress).isSorted().last().isEqualTo(source.blocks().totalPages());
        }
    }

    private static FileChannel fresh(Path folder) throws IOException {
        return FileChannel.open(
                folder.resolve("mapped"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    @Test
    void whatIsExportedWithMappedRamIsImportedAsTheSameVm(@TempDir Path folder) throws IOException {
        VmStore store = open(disk);
        StoreSink sink = store.receive(Shelf.WEB1);
        Shelf.fill(sink);
        for (int page = 10; page < 150; page += 3) {
            sink.storeZero(RAM, page);
        }
        store.park(devices(), true);
        VmStore copy = open(disk, OTHER);
        try (FileChannel file = fresh(folder)) {
            exportMapped(store, file);
            StreamImport.readFile(file.position(0), copy, false, _ -> {});
        }

        Manifest manifest = Objects.requireNonNull(copy.manifest());
        assertThat(manifest.state()).isEqualTo(new StoreState.ParkedUnconfirmed());
        assertThat(manifest.arrival().blocks()).isEqualTo(Shelf.WEB1.blocks());
        assertThat(manifest.arrival().ramSectionId()).isEqualTo(2);
        assertThat(copy.devices()).isEqualTo(devices());
        try (StoreSource there = store.source();
                StoreSource here = copy.source()) {
            for (int block : new int[] {RAM, ROM}) {
                assertThat(here.dataPages(block)).isEqualTo(there.dataPages(block));
                for (long page = 0; page < there.blocks().get(block).pages(); page++) {
                    assertThat(read(here, block, page))
                            .as("page %d of %d", page, block)
                            .isEqualTo(read(there, block, page));
                }
            }
        }
    }

    @Test
    void ofAMappedFileThatIsNotWholeTheStoreKnowsNothing(@TempDir Path folder) throws IOException {
        VmStore store = open(disk);
        Shelf.fill(store.receive(Shelf.WEB1));
        store.park(devices(), true);
        VmStore copy = open(disk, OTHER);
        try (FileChannel file = fresh(folder)) {
            exportMapped(store, file);
            file.truncate(file.size() - 1);
            assertThatThrownBy(() -> StreamImport.readFile(file.position(0), copy, true, _ -> {}))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("the file ends here");
        }
        assertThat(copy.manifest()).isNull();
    }

    @Test
    void aMappedFileIsNoStreamAndTheSentenceNamesWhatTakesIt(@TempDir Path folder) throws IOException {
        VmStore store = parked(disk, true);
        VmStore copy = open(disk, OTHER);
        try (FileChannel file = fresh(folder)) {
            exportMapped(store, file);
            assertThatThrownBy(() -> StreamImport.read(file.position(0), copy, true, _ -> {}))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("mapped-ram")
                    .hasMessageContaining("'godwit store import FILE'");
        }
    }

    @Test
    void aStreamInAFileIsImportedFromWhereverItBegins(@TempDir Path folder) throws IOException {
        VmStore store = open(disk);
        Shelf.fill(store.receive(Shelf.WEB1));
        store.park(devices(), true);
        VmStore copy = open(disk, OTHER);
        try (FileChannel file = fresh(folder)) {
            file.write(ByteBuffer.wrap(export(store)), 100);
            StreamImport.readFile(file.position(100), copy, true, _ -> {});
        }
        assertThat(Shelf.state(copy)).isEqualTo(new StoreState.Parked());
    }

    @Test
    void aDamagedPageIsNotExported(@TempDir Path folder) {
        VmStore store = parked(disk, true);
        disk.damage(Shelf.FOLDER.resolve("ram-0"), 77L * Pages.SIZE, 4);

        assertThatThrownBy(() -> export(store))
                .isInstanceOf(DamagedPageException.class)
                .hasMessageContaining("page 77 ");
        assertThatThrownBy(() -> {
                    try (FileChannel file = fresh(folder)) {
                        exportMapped(store, file);
                    }
                })
                .isInstanceOf(DamagedPageException.class);
        try (StoreSource source = store.source()) {
            assertThatThrownBy(() -> RawExport.write(source, RAM, disk, Path.of("/vms/out"), _ -> {}))
                    .isInstanceOf(DamagedPageException.class);
        }
    }

    @Test
    void aRawExportIsTheBlocksMemory() {
        VmStore store = open(disk);
        StoreSink sink = store.receive(Shelf.WEB1);
        Shelf.fill(sink);
        for (int page = 10; page < 150; page += 3) {
            sink.storeZero(RAM, page);
        }
        store.park(DEVICES, true);

        try (StoreSource source = store.source()) {
            assertThat(RawExport.mainBlock(source.blocks())).isEqualTo(RAM);
            RawExport.write(source, RAM, disk, Path.of("/vms/out"), _ -> {});
            byte[] raw = Objects.requireNonNull(disk.peek(Path.of("/vms/out")));
            assertThat(raw).hasSize(RAM_PAGES * Pages.SIZE);
            for (int page = 0; page < RAM_PAGES; page++) {
                byte[] expected = read(source, RAM, page).array();
                assertThat(Arrays.copyOfRange(raw, page * Pages.SIZE, (page + 1) * Pages.SIZE))
                        .as("page %d", page)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void verifyNamesEveryDamagedPage() {
        VmStore store = parked(disk, true);
        List<Long> progress = new ArrayList<>();
        try (StoreSource source = store.source()) {
            assertThat(Verification.run(source, progress::add).isWhole()).isTrue();
        }
        assertThat(progress).containsExactly((long) RAM_PAGES + ROM_PAGES);

        for (long page : new long[] {0, 63, 64, 199}) {
            disk.damage(Shelf.FOLDER.resolve("ram-0"), page * Pages.SIZE + page, 128);
        }
        disk.damage(Shelf.FOLDER.resolve("digest-0"), 100 * 8, 1);
        try (StoreSource source = store.source()) {
            Verification report = Verification.run(source, _ -> {});
            assertThat(report.isWhole()).isFalse();
            assertThat(report.zeroPages()).isEqualTo(ROM_PAGES);
            assertThat(report.damages())
                    .extracting(DamagedPageException::page)
                    .containsExactly(0L, 63L, 64L, 100L, 199L);
        }
    }

    @Test
    void aFileThatWasCutIsDamageFromThereOn() throws DiskException {
        VmStore store = parked(disk, true);
        try (DiskFile ram = disk.openForWriting(Shelf.FOLDER.resolve("ram-0"))) {
            ram.setSize(150 * Pages.SIZE + 1);
        }

        try (StoreSource source = store.source()) {
            assertThat(Verification.run(source, _ -> {}).damagedPages()).isEqualTo(50);
            assertThat(read(source, RAM, 149)).isEqualTo(TestPages.of(150));
        }
    }

    @Test
    void aListingShowsWhatIsThereAndWhatIsDamaged() throws DiskException {
        parked(disk, true).close();
        VmStore other = open(disk, OTHER);
        StoreSink sink = Shelf.handedOver(other);
        sink.place(RAM, 5, TestPages.of(5), 0);
        sink.placeZero(RAM, 6);
        other.checkpoint();
        sink.place(RAM, 7, TestPages.of(7), 0);
        disk.createFolder(Path.of("/vms/empty"));

        assertThat(VmSummary.list(disk, Path.of("/vms")))
                .extracting(e -> e.folder() + " "
                        + Objects.requireNonNull(e.manifest()).state().word())
                .containsExactly("/vms/other receiving-postcopy", "/vms/web1 parked");
        VmSummary summary = VmSummary.read(disk, OTHER);
        assertThat(summary.durableBytes()).isEqualTo(2 * Pages.SIZE);
        assertThat(summary.dataBytes()).isEqualTo(Pages.SIZE);
        assertThat(summary.deviceBytes()).isEqualTo(8);

        disk.damage(Shelf.FOLDER.resolve("manifest.json"), 100, 1);
        assertThat(VmSummary.list(disk, Path.of("/vms")).getLast().problem()).contains("manifest.json cannot be used");
        assertThatThrownBy(() -> VmSummary.read(disk, Path.of("/vms/empty"))).hasMessageContaining("no parked VM");
    }
}
