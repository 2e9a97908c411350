// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Virtual machines of real QEMUs in a real store: in a folder, with a new process for each leg and in the middle of both. */
@Timeout(60)
class StoredGuestQemuIT {
    private static final Address ANYWHERE = new Address.Tcp("127.0.0.1", 0);
    private static final String[] UNDESCRIBED = {"-machine", "suppress-vmdesc=on"};
    private static final Capability[] PRECOPY = {Capability.RETURN_PATH};
    private static final Capability[] POSTCOPY = {Capability.RETURN_PATH, Capability.POSTCOPY_RAM};

    @TempDir
    private Path folder = Path.of("");

    private @Nullable Garage opened;

    @BeforeEach
    void open() throws IOException {
        opened = new Garage(folder);
    }

    private Garage garage() {
        return Objects.requireNonNull(opened);
    }

    /** As a new process opens it. */
    private Endpoint store(boolean evenUnconfirmed, Capability... capabilities) throws Exception {
        return store(false, evenUnconfirmed, capabilities);
    }

    private Endpoint store(boolean unsafe, boolean evenUnconfirmed, Capability... capabilities) throws Exception {
        VmStore store = VmStore.open(new OsDisk(), folder.resolve("vm"), InstantSource.system(), "test");
        Endpoint park = Endpoint.parking(
                "store",
                new StoredGuest(
                        store,
                        InstantSource.system(),
                        StoredGuest.Terms.leaving(null, "", StoredGuest.Copy.NONE, evenUnconfirmed)),
                unsafe,
                System::nanoTime,
                new Random(4713));
        if (capabilities.length > 0) {
            park.setCapabilities(Pair.on(capabilities));
        }
        park.setParameters(Pair::fast);
        return park;
    }

    private StoreState state() {
        try (VmStore store = VmStore.open(new OsDisk(), folder.resolve("vm"), InstantSource.system(), "test")) {
            return Objects.requireNonNull(store.manifest()).state();
        }
    }

    @ParameterizedTest
    @EnumSource
    void byPrecopyAndBackByPostcopyOnAnExplicitWord(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, PRECOPY);
                Endpoint park = store(false, PRECOPY)) {
            parked(source, park);
        }
        back(version, POSTCOPY);
    }

    /** With a return path QEMU keeps the connection open behind its last byte, so that nothing but silence says that it was the last. */
    @ParameterizedTest
    @EnumSource
    void byPrecopyWithoutADescriptionAndBack(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, UNDESCRIBED, PRECOPY);
                Endpoint park = store(false, PRECOPY)) {
            parked(source, park);
        }
        back(version, PRECOPY);
    }

    /** Without one it closes it. */
    @ParameterizedTest
    @EnumSource
    void byPrecopyWithoutADescriptionOrAReturnPathAndBack(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, UNDESCRIBED);
                Endpoint park = store(true, false)) {
            parked(source, park);
        }
        back(version, PRECOPY);
    }

    private void parked(QemuProcess source, Endpoint park) throws Exception {
        Diary diary = diary(park);
        park.migrateIncoming(ANYWHERE);
        Garage.migrate(source, address(park), false);
        diary.await(MigrationStatus.COMPLETED);
        Garage.await(source, "completed");
    }

    private void back(QemuVersion version, Capability[] way) throws Exception {
        assertThat(state()).isInstanceOf(StoreState.ParkedUnconfirmed.class);
        try (QemuProcess destination = garage().awaiting(version, way);
                Endpoint park = store(true, way)) {
            Diary diary = diary(park);
            park.migrate(Garage.listen(destination, "migrate-incoming", garage().socket("in")), false);
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(destination, "completed");
            Garage.runs(destination);
        }
        assertThat(state()).isInstanceOf(StoreState.Gone.class);
    }

    @ParameterizedTest
    @EnumSource
    void byPostcopyAndBackByPostcopyWithANewProcessInTheMiddleOfEach(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, POSTCOPY)) {
            try (Endpoint park = store(false, POSTCOPY)) {
                Diary diary = diary(park);
                park.migrateIncoming(ANYWHERE);
                Garage.bandwidth(source, Garage.MIB, Garage.MIB);
                Garage.migrate(source, address(park), false);
                Pair.eventually("the source sends", () -> park.info().ram().normal() > 0);
                source.qmp("migrate-start-postcopy");
                diary.await(MigrationStatus.POSTCOPY_ACTIVE);
                Garage.await(source, "postcopy-active");
            }
            Garage.await(source, "postcopy-paused");
            assertThat(state()).isInstanceOf(StoreState.ReceivingPostcopy.class);
            try (Endpoint park = store(false)) {
                Diary diary = diary(park);
                park.migrateRecover(ANYWHERE);
                Garage.bandwidth(source, 0, 0);
                Garage.migrate(source, address(park), true);
                diary.await(MigrationStatus.COMPLETED);
                Garage.await(source, "completed");
            }
        }
        assertThat(state()).isInstanceOf(StoreState.ParkedUnconfirmed.class);
        try (QemuProcess destination = garage().awaiting(version, POSTCOPY)) {
            try (Endpoint park = store(true, POSTCOPY)) {
                park.setParameters(StoredGuestQemuIT::slow);
                park.migrate(Garage.listen(destination, "migrate-incoming", garage().socket("in")), false);
                Garage.awaitRunning(destination);
            }
            Garage.await(destination, "postcopy-paused");
            assertThat(state()).isInstanceOf(StoreState.Leaving.class);
            try (Endpoint park = store(false)) {
                Diary diary = diary(park);
                park.migrate(Garage.listen(destination, "migrate-recover", garage().socket("again")), true);
                diary.await(MigrationStatus.COMPLETED);
                Garage.await(destination, "completed");
                Garage.runs(destination);
            }
        }
        assertThat(state()).isInstanceOf(StoreState.Gone.class);
    }

    private static Parameters slow(Parameters p) {
        return new Parameters(0, Garage.MIB, p.downtimeLimitMillis(), 0, 5000, 10_000, 50);
    }

    private static Diary diary(Endpoint park) {
        Diary diary = new Diary("store");
        park.addListener(diary);
        return diary;
    }

    private static Address address(Endpoint park) {
        return park.info().listening().getFirst();
    }
}
