// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.Stepwise.Step;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Virtual machines of real QEMUs that cannot be parked, or not yet, and what then becomes of them; and ways to run one that are rarer. */
@Timeout(60)
class ParkingQemuTroubleIT {
    private static final Address ANYWHERE = new Address.Tcp("127.0.0.1", 0);
    private static final Capability[] PRECOPY = {Capability.RETURN_PATH};
    private static final Capability[] POSTCOPY = {Capability.RETURN_PATH, Capability.POSTCOPY_RAM};
    private static final String UUID = "8f1c6e0a-35b4-4c58-9f0e-0a1b2c3d4e5f";

    @TempDir
    private Path folder = Path.of("");

    private @Nullable Garage opened;
    private final MemoryStore store = new MemoryStore();

    @BeforeEach
    void open() throws IOException {
        opened = new Garage(folder);
    }

    private Garage garage() {
        return Objects.requireNonNull(opened);
    }

    // ---- other machines, other settings

    @ParameterizedTest
    @CsvSource({"V7_2, V10_0", "V7_2, V11_1", "V10_0, V11_1"})
    void aMachineOfAnOlderQemuRunsInANewerOne(QemuVersion older, QemuVersion newer) throws Exception {
        park(garage().running(older, PRECOPY), PRECOPY);
        unpark(garage().awaiting(newer, POSTCOPY), POSTCOPY);
    }

    @ParameterizedTest
    @EnumSource(names = {"V10_0", "V11_1"})
    void itsIdentityAndItsPermissionToSwitchOverTravelToo(QemuVersion version) throws Exception {
        Capability[] capabilities = {Capability.RETURN_PATH, Capability.SWITCHOVER_ACK, Capability.VALIDATE_UUID};
        park(garage().running(version, new String[] {"-uuid", UUID}, capabilities), capabilities);
        assertThat(store.identity().configuration().uuid()).isEqualTo(java.util.UUID.fromString(UUID));
        unpark(garage().awaiting(version, new String[] {"-uuid", UUID}, capabilities), capabilities);
    }

    private void park(QemuProcess machine, Capability... capabilities) throws Exception {
        try (QemuProcess source = machine;
                Endpoint park = parking(false, capabilities)) {
            Diary diary = begin(source, park);
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
    }

    private void unpark(QemuProcess machine, Capability... capabilities) throws Exception {
        try (QemuProcess destination = machine;
                Endpoint park = parking(false, capabilities)) {
            Diary diary = new Diary("unpark");
            park.addListener(diary);
            park.migrate(Garage.listen(destination, "migrate-incoming", garage().socket("unpark")), false);
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(destination, "completed");
            Garage.runs(destination);
        }
    }

    // ---- it stays where it is

    @ParameterizedTest
    @EnumSource
    void withoutAReturnPathItIsRefusedAndRunsOn(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version);
                Endpoint park = parking(false)) {
            refused(begin(source, park), park, "no return path");
            Garage.await(source, "failed");
            Garage.runs(source);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoInsistsGetsItUnconfirmed(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version);
                Endpoint park = parking(true)) {
            begin(source, park).await(MigrationStatus.COMPLETED);
            assertThat(park.info().extra().sourceConfirmed()).isFalse();
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
    }

    @ParameterizedTest
    @EnumSource
    void sharedMemoryThatWouldNotBeSentIsRefused(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, Capability.RETURN_PATH, Capability.X_IGNORE_SHARED);
                Endpoint park = parking(false, PRECOPY)) {
            refused(begin(source, park), park, "x-ignore-shared");
            Garage.await(source, "failed");
            Garage.runs(source);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFullDiskInTheMiddleLeavesItRunning(QemuVersion version) throws Exception {
        store.fail(Step.WRITE, "no room on the disk");
        runsOn(version, "no room on the disk");
    }

    @ParameterizedTest
    @EnumSource
    void aFullDiskAtTheVeryEndLeavesItRunning(QemuVersion version) throws Exception {
        store.fail(Step.PARK, "no room on the disk");
        runsOn(version, "no room on the disk");
    }

    private void runsOn(QemuVersion version, String why) throws Exception {
        try (QemuProcess source = garage().running(version, PRECOPY);
                Endpoint park = parking(false, PRECOPY)) {
            refused(begin(source, park), park, why);
            Garage.await(source, "failed");
            Garage.runs(source);
            assertThat(store.log()).contains("reset");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aMachineThatDiesOnItsWayIsNotKept(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, PRECOPY);
                Endpoint park = parking(false, PRECOPY)) {
            Garage.bandwidth(source, Garage.MIB, 0);
            Diary diary = begin(source, park);
            Pair.eventually("it sends", () -> park.info().ram().normal() > 0);
            source.kill();
            diary.await(MigrationStatus.FAILED);
            assertThat(store.log()).contains("reset").doesNotContain("PARK");
        }
    }

    // ---- it waits

    @ParameterizedTest
    @EnumSource
    void aFullDiskInPostcopyIsWaitedFor(QemuVersion version) throws Exception {
        try (QemuProcess source = garage().running(version, POSTCOPY);
                Endpoint park = parking(false, POSTCOPY)) {
            Garage.bandwidth(source, Garage.MIB, Garage.MIB);
            Diary diary = begin(source, park);
            Pair.eventually("it sends", () -> park.info().ram().normal() > 0);
            source.qmp("migrate-start-postcopy");
            diary.await(MigrationStatus.POSTCOPY_ACTIVE);
            Garage.await(source, "postcopy-active");
            store.fail(Step.WRITE, "no room on the disk");
            diary.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(park.info().errorDesc()).isEqualTo("no room on the disk");
            Garage.await(source, "postcopy-paused");
            store.succeed(Step.WRITE);
            Pair.eventually("the disk is at rest", () -> store.log().contains("MEND"));
            park.migrateRecover(ANYWHERE);
            Garage.bandwidth(source, 0, 0);
            Garage.migrate(source, park.info().listening().getLast(), true);
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
    }

    /** The device state is in memory only when the disk fails; the source has passed its point of no return. */
    @ParameterizedTest
    @EnumSource(names = {"V7_2", "V10_0"})
    void aDeviceStateThatCannotBeWrittenIsKeptForASourceThatHasNobodyElse(QemuVersion version) throws Exception {
        store.fail(Step.HAND_OVER, "no room on the disk");
        try (QemuProcess source = garage().running(version, POSTCOPY);
                Endpoint park = parking(false, POSTCOPY)) {
            Garage.bandwidth(source, Garage.MIB, Garage.MIB);
            Diary diary = begin(source, park);
            Pair.eventually("it sends", () -> park.info().ram().normal() > 0);
            source.qmp("migrate-start-postcopy");
            diary.await(MigrationStatus.POSTCOPY_PAUSED);
            Garage.await(source, "postcopy-paused");
            store.succeed(Step.HAND_OVER);
            park.migrateRecover(ANYWHERE);
            Pair.eventually(
                    "it is on disk",
                    () -> store.restarted().phase() instanceof io.godwit.guest.ParkedGuest.Interrupted);
            Garage.bandwidth(source, 0, 0);
            Garage.migrate(source, park.info().listening().getLast(), true);
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
    }

    private Endpoint parking(boolean unsafe, Capability... capabilities) throws Exception {
        Endpoint park = Endpoint.parking("park", store, unsafe, System::nanoTime, new Random(4712));
        // What concerns a source only is not asked for here.
        for (Capability capability : capabilities) {
            if (capability != Capability.X_IGNORE_SHARED) {
                park.setCapabilities(Pair.on(capability));
            }
        }
        park.setParameters(Pair::fast);
        return park;
    }

    private static Diary begin(QemuProcess source, Endpoint park) throws Exception {
        Diary diary = new Diary("park");
        park.addListener(diary);
        park.migrateIncoming(ANYWHERE);
        Garage.migrate(source, park.info().listening().getFirst(), false);
        return diary;
    }

    private static void refused(Diary diary, Endpoint park, String why) {
        diary.await(MigrationStatus.FAILED);
        assertThat(park.info().errorDesc()).contains(why);
    }
}
