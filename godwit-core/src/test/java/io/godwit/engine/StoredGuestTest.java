// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.pump.Arrival;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.StorageException;
import io.godwit.pump.StreamIdentity;
import io.godwit.sim.SimDisk;
import io.godwit.store.VmStore;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A folder as an endpoint's guest, where the disk takes neither that it is parked nor the opposite. */
class StoredGuestTest {
    private static final Path FOLDER = Path.of("/vms/web1");
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

    /** One thread does everything, at once. */
    private static final DiskWorks AT_ONCE = new DiskWorks() {
        @Override
        public void work(Runnable work, Runnable done, Consumer<String> failed) {
            work.run();
            done.run();
        }

        @Override
        public void later(Runnable work, Runnable done, Consumer<String> failed) {
            work(work, done, failed);
        }

        @Override
        public void beside(Runnable work) {
            work.run();
        }
    };

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    private ParkedGuest guest() {
        return new StoredGuest(
                VmStore.open(disk, FOLDER, CLOCK, "test"), CLOCK, StoredGuest.Terms.arriving("10.0.2", null));
    }

    private static StreamIdentity identity() {
        return new StreamIdentity(new StreamMessage.Configuration("pc", OptionalInt.empty(), List.of(), null), 2);
    }

    @Test
    void whatMayBeParkedIsNotEmptiedBeforeTheDiskSaysThatItIsNot() {
        ParkedGuest guest = guest();
        assertThat(guest.receive(
                        new Arrival(identity(), List.of(BlockInfo.of("pc.ram", Pages.SIZE)), true, 5), AT_ONCE))
                .isNull();
        PageSink sink = guest.sink(AT_ONCE);
        sink.store(0, 0, ByteBuffer.allocate(Pages.SIZE).put(7, (byte) 42), 0);
        // All are well but the last, that of the folder whose manifest was renamed; and two more tries.
        disk.failSyncs(7, 3);
        assertThatThrownBy(() -> guest.park(new MachineState(new byte[0], new byte[] {1}, new byte[0]), true))
                .isInstanceOf(StorageException.class);
        assertThat(guest.undecided()).isTrue();

        assertThatThrownBy(guest::reset).isInstanceOf(StorageException.class);
        assertThat(disk.peek(FOLDER.resolve("ram-0"))).contains(42);
        SimDisk seen = disk.asAfterPowerLoss(new SplittableRandom(1));
        assertThat(seen.peek(FOLDER.resolve("ram-0"))).contains(42);

        guest.reset();
        assertThat(guest.undecided()).isFalse();
        assertThat(disk.peek(FOLDER.resolve("ram-0"))).doesNotContain(42);
        disk.losePower();
        disk.boot();
        assertThat(guest().phase()).isEqualTo(new ParkedGuest.Empty());
    }
}
