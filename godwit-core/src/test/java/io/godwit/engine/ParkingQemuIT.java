// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Virtual machines of real QEMUs, parked and unparked by every way there is, with everything cut in between; they write all the time and are looked at afterwards. */
@Timeout(60)
class ParkingQemuIT {
    private static final Address ANYWHERE = new Address.Tcp("127.0.0.1", 0);
    private static final Capability[] PRECOPY = {Capability.RETURN_PATH};
    private static final Capability[] POSTCOPY = {Capability.RETURN_PATH, Capability.POSTCOPY_RAM};
    private static final Capability[] PREEMPT = {
        Capability.RETURN_PATH, Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT
    };
    private static final int SLOW = Garage.MIB;

    @TempDir
    private Path folder = Path.of("");

    private @Nullable Garage opened;
    private MemoryStore store = new MemoryStore();

    @BeforeEach
    void open() throws IOException {
        opened = new Garage(folder);
    }

    private Garage garage() {
        return Objects.requireNonNull(opened);
    }

    @ParameterizedTest
    @EnumSource
    void parksByPrecopyAndRunsAgainAtOnceByPostcopy(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, PRECOPY);
                Endpoint park = parking(PRECOPY)) {
            Diary diary = diary(park);
            park.migrateIncoming(ANYWHERE);
            Garage.migrate(source, address(park), false);
            diary.await(MigrationStatus.COMPLETED);
            assertThat(park.info().extra().sourceConfirmed())
                    .as("it would run, had it missed SHUT 0")
                    .isFalse();
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
        unpark(version, POSTCOPY);
    }

    @ParameterizedTest
    @EnumSource
    void parksByPostcopyAndRunsAgainByPrecopy(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, POSTCOPY);
                Endpoint park = parking(POSTCOPY)) {
            Diary diary = inPostcopy(source, park, null);
            Garage.bandwidth(source, 0, 0);
            parked(source, park, diary);
        }
        unpark(version, PRECOPY);
    }

    @ParameterizedTest
    @EnumSource
    void parksAndUnparksWithAChannelForUrgentPages(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, PREEMPT);
                Endpoint park = parking(PREEMPT)) {
            Diary diary = inPostcopy(source, park, null);
            Garage.bandwidth(source, 0, 0);
            parked(source, park, diary);
        }
        unpark(version, PREEMPT);
    }

    @ParameterizedTest
    @EnumSource
    void aParkThatIsCutIsRecovered(QemuVersion version) throws Exception {
        aCutPark(version, POSTCOPY);
        aCutUnpark(version, POSTCOPY);
    }

    @ParameterizedTest
    @EnumSource
    void withAChannelForUrgentPagesToo(QemuVersion version) throws Exception {
        aCutPark(version, PREEMPT);
        aCutUnpark(version, PREEMPT);
    }

    private void aCutPark(QemuVersion version, Capability[] capabilities) throws Exception {
        try (QemuProcess source = garage().running(version, capabilities);
                Endpoint park = parking(capabilities)) {
            park.migrateIncoming(ANYWHERE);
            try (Relay relay = relay(garage().socket("park.relay"), address(park))) {
                Diary diary = inPostcopy(source, park, relay.address());
                relay.cut();
                diary.await(MigrationStatus.POSTCOPY_PAUSED);
                Garage.await(source, "postcopy-paused");
                assertThat(park.info().ram().remaining()).isPositive();
                park.migrateRecover(ANYWHERE);
                Garage.bandwidth(source, 0, 0);
                Garage.migrate(source, relay.address(), true);
                parked(source, park, diary);
            }
        }
    }

    private void aCutUnpark(QemuVersion version, Capability[] capabilities) throws Exception {
        try (QemuProcess destination = garage().awaiting(version, capabilities);
                Endpoint park = parking(capabilities)) {
            Diary diary = diary(park);
            park.setParameters(ParkingQemuIT::slow);
            Address listen = Garage.listen(destination, "migrate-incoming", garage().socket("incoming"));
            try (Relay relay = relay(garage().socket("unpark.relay"), listen)) {
                park.migrate(relay.address(), false);
                Pair.eventually("the destination has it", () -> park.info().downtimeMillis() >= 0);
                // One that has not started its guest yet ends, at a cut; so does not one that has.
                Garage.awaitRunning(destination);
                relay.cut();
            }
            diary.await(MigrationStatus.POSTCOPY_PAUSED);
            Garage.await(destination, "postcopy-paused");
            // One that may not survive a break is not left, and gets the channel for urgent pages at once, as it needs
            // it.
            park.setParameters(p -> Pair.fast(p).withPeerMayBe72(version == QemuVersion.V7_2));
            park.migrate(Garage.listen(destination, "migrate-recover", garage().socket("recover")), true);
            arrived(destination, park, diary);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aParkWhoseGodwitIsKilledGoesOnInANewProcess(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, POSTCOPY)) {
            try (Endpoint park = parking(POSTCOPY)) {
                inPostcopy(source, park, null);
            }
            Garage.await(source, "postcopy-paused");
            store = store.restarted();
            try (Endpoint park = parking()) {
                Diary diary = diary(park);
                park.migrateRecover(ANYWHERE);
                Garage.bandwidth(source, 0, 0);
                Garage.migrate(source, address(park), true);
                parked(source, park, diary);
            }
        }
        unpark(version, POSTCOPY);
    }

    @ParameterizedTest
    @EnumSource
    void anUnparkWhoseGodwitIsKilledGoesOnInANewProcess(QemuVersion version) throws Exception {
        parksByPostcopyAndRunsAgainByPrecopy(version);
        store = store.asParked();
        try (QemuProcess destination = garage().awaiting(version, POSTCOPY)) {
            try (Endpoint park = parking(POSTCOPY)) {
                park.setParameters(ParkingQemuIT::slow);
                park.migrate(Garage.listen(destination, "migrate-incoming", garage().socket("incoming2")), false);
                Pair.eventually("the destination has it", () -> park.info().downtimeMillis() >= 0);
                Garage.awaitRunning(destination);
            }
            Garage.await(destination, "postcopy-paused");
            store = store.restarted();
            try (Endpoint park = parking()) {
                Diary diary = diary(park);
                park.migrate(Garage.listen(destination, "migrate-recover", garage().socket("recover2")), true);
                arrived(destination, park, diary);
            }
        }
    }

    private void unpark(QemuVersion version, Capability... capabilities) throws Exception {
        try (QemuProcess destination = garage().awaiting(version, capabilities);
                Endpoint park = parking(capabilities)) {
            Diary diary = diary(park);
            park.migrate(Garage.listen(destination, "migrate-incoming", garage().socket("unpark")), false);
            arrived(destination, park, diary);
        }
    }

    private void arrived(QemuProcess destination, Endpoint park, Diary diary) throws Exception {
        diary.await(MigrationStatus.COMPLETED);
        Garage.await(destination, "completed");
        assertThat(park.runState()).isEqualTo("postmigrate");
        MemoryStore now = store;
        Pair.eventually("the store knows", () -> now.log().contains("GONE"));
        Garage.runs(destination);
    }

    private void parked(QemuProcess source, Endpoint park, Diary diary) throws Exception {
        diary.await(MigrationStatus.COMPLETED);
        assertThat(park.info().extra().sourceConfirmed())
                .as("a QEMU from 10 on would run, had it missed SHUT 0")
                .isFalse();
        assertThat(park.runState()).isEqualTo("paused");
        Garage.await(source, "completed");
        Garage.sameMemory(source, store);
    }

    /** The guest is the store's, most of its memory still at the source. */
    private static Diary inPostcopy(QemuProcess source, Endpoint park, @Nullable Address target) throws Exception {
        Diary diary = diary(park);
        if (target == null) {
            park.migrateIncoming(ANYWHERE);
        }
        Garage.bandwidth(source, SLOW, SLOW);
        Garage.migrate(source, target == null ? address(park) : target, false);
        Pair.eventually("the source sends", () -> park.info().ram().normal() > 0);
        source.qmp("migrate-start-postcopy");
        diary.await(MigrationStatus.POSTCOPY_ACTIVE);
        Garage.await(source, "postcopy-active");
        return diary;
    }

    private Endpoint parking(Capability... capabilities) throws Exception {
        Endpoint park = Endpoint.parking("park", store, false, System::nanoTime, new Random(4711));
        if (capabilities.length > 0) {
            park.setCapabilities(Pair.on(capabilities));
        }
        park.setParameters(Pair::fast);
        return park;
    }

    private static Parameters slow(Parameters p) {
        return new Parameters(0, SLOW, p.downtimeLimitMillis(), 0, 5000, 10_000, 50);
    }

    private static Diary diary(Endpoint park) {
        Diary diary = new Diary("park");
        park.addListener(diary);
        return diary;
    }

    private static Address address(Endpoint park) {
        return park.info().listening().getFirst();
    }

    private static Relay relay(Address listen, Address target) throws IOException {
        return Relay.start(listen, target, FaultPlan.NONE, event -> {});
    }
}
