// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A store in a test's words: a small VM of two blocks on any disk. */
final class Shelf {
    static final Path FOLDER = Path.of("/vms/web1");
    static final int RAM = 0;
    static final int ROM = 1;
    static final int RAM_PAGES = 200;
    static final int ROM_PAGES = 3;
    static final Arrival WEB1 = new Arrival(
            "pc-i440fx-10.0",
            List.of(
                    BlockInfo.of("pc.ram", RAM_PAGES * (long) Pages.SIZE),
                    BlockInfo.of("../../etc/rom", ROM_PAGES * (long) Pages.SIZE)),
            2,
            "10.0.2",
            "unix:/run/web1.qmp",
            UUID.fromString("11111111-2222-3333-4444-555555555555"),
            -1);
    static final StoredDevices DEVICES =
            new StoredDevices(new byte[0], "devices".getBytes(StandardCharsets.UTF_8), new byte[] {'{', '}'});
    static final StoredDevices BLOB = new StoredDevices(new byte[0], "packaged".getBytes(StandardCharsets.UTF_8), null);
    static final StoreState.Departure TO_B =
            new StoreState.Departure("tcp:b:4445", "tcp:b:4446", true, 77, Instant.parse("2030-01-02T03:04:05Z"));

    /** Eight pages are written together, by the one thread that there is. */
    static final Behind FEW = new Behind(8, 0, work -> {});

    private Shelf() {}

    static VmStore open(Disk disk) {
        return open(disk, FOLDER);
    }

    static VmStore open(Disk disk, Path folder) {
        return VmStore.open(disk, folder, InstantSource.fixed(Instant.parse("2030-01-01T00:00:00Z")), "0.1.0-test");
    }

    static StoreState state(VmStore store) {
        return Objects.requireNonNull(store.manifest()).state();
    }

    /** Page p of the RAM holds what {@link TestPages} makes of p + 1, of the ROM zeroes. */
    static void fill(StoreSink sink) {
        for (int page = 0; page < RAM_PAGES; page++) {
            sink.store(RAM, page, TestPages.of(page + 1), 0);
        }
        for (int page = 0; page < ROM_PAGES; page++) {
            sink.storeZero(ROM, page);
        }
    }

    /** {@link #WEB1}, {@link #fill filled} and parked by precopy. */
    static VmStore parked(Disk disk, boolean confirmed) {
        return parked(disk, FOLDER, confirmed);
    }

    static VmStore parked(Disk disk, Path folder, boolean confirmed) {
        VmStore store = open(disk, folder);
        fill(store.receive(WEB1));
        store.park(DEVICES, confirmed);
        return store;
    }

    /** In postcopy, handed over, with nothing received. */
    static StoreSink handedOver(VmStore store) {
        StoreSink sink = store.receive(WEB1, FEW);
        sink.beginPostcopy();
        store.handOver(BLOB);
        return sink;
    }

    static ByteBuffer read(StoreSource source, int block, long page) {
        ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
        source.read(block, page, out);
        return out.flip();
    }

    static void assertRefused(ThrowingCallable call, StoreException.Kind kind, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StoreException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .message()
                .contains(words);
    }
}
