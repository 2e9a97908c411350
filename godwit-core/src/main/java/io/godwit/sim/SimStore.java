// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.engine.StoredGuest;
import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.page.Pages;
import io.godwit.pump.StorageException;
import io.godwit.store.Arrival;
import io.godwit.store.Behind;
import io.godwit.store.Manifest;
import io.godwit.store.ReadAhead;
import io.godwit.store.StoreSink;
import io.godwit.store.StoreState;
import io.godwit.store.StoredDevices;
import io.godwit.store.VmStore;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A VM's folder on a simulated disk, as the process of one end has it open: the real store, and that process's worker, whose works happen later, one after the other, each at one
 * moment. The process ends at any moment, or at any call to the disk in the middle of a work; the disk stays, and the next process opens the folder anew.
 */
final class SimStore implements DiskWorks {
    static final Path FOLDER = Path.of("/sim/vm");
    private static final String VERSION = "sim";
    private static final long AGAIN_NANOS = 100_000_000;
    /** So that a few pages are read ahead as many are. */
    private static final ReadAhead FEW_PAGES = new ReadAhead(1, 2, 2, 2);

    /** So that a few pages fill batches as many do, and more of them than may wait. */
    private static Behind twoPages(Consumer<Runnable> elsewhere) {
        return new Behind(2, 2, elsewhere);
    }

    private record Work(Runnable work, Runnable done, Consumer<String> failed) {}

    private final World world;
    private final String name;
    private final SimDisk disk;
    private final SplittableRandom random;
    private final long slowest;
    private final Seams seams;
    private final InstantSource clock;
    private final ArrayDeque<Work> waiting = new ArrayDeque<>();
    private Runnable worked = () -> {};
    private @Nullable SimEndpoint end;
    private @Nullable VmStore store;
    private @Nullable ParkedGuest guest;
    private boolean busy;
    private boolean unsettled;
    /** Counts the processes that have had it. */
    private int life;

    private boolean takesMachine;
    private long failedSyncs;

    SimStore(World world, String name, long slowest, SplittableRandom random, Seams seams) {
        this.world = world;
        this.name = name;
        this.disk = new SimDisk(random.split());
        this.random = random;
        this.slowest = slowest;
        this.seams = seams;
        this.clock = () -> Instant.ofEpochSecond(0, world.queue().now());
    }

    /** @param after is done after each work, before anybody hears of its end */
    void belongsTo(SimEndpoint process, Runnable after) {
        end = process;
        worked = after;
    }

    SimDisk disk() {
        return disk;
    }

    /** Another look at the folder, as a process that starts now would have it; closed by the caller. */
    static VmStore look(SimDisk at) {
        return VmStore.open(at, FOLDER, () -> Instant.EPOCH, VERSION);
    }

    /** Parks the world's guest in it, as an earlier migration would have. */
    void fill(Truth truth, SimMemory memory, SimDevices devices, String machine, boolean runs) {
        try (VmStore fresh = VmStore.open(disk, FOLDER, clock, VERSION)) {
            StoreSink sink = fresh.receive(
                    new Arrival(machine, memory.blocks().list(), SimDevices.RAM_SECTION, null, null, null, -1));
            for (int page = 0; page < truth.pages(); page++) {
                int block = memory.block(page);
                int index = memory.index(page);
                if (memory.isZero(block, index)) {
                    sink.storeZero(block, index);
                } else {
                    sink.store(block, index, ByteBuffer.wrap(memory.array(page)), memory.offset(page));
                }
            }
            fresh.park(new StoredDevices(new byte[0], devices.save(runs), devices.describe(runs)), true);
        }
    }

    /**
     * A process starts.
     *
     * @throws StorageException if it cannot: then it has ended again
     */
    ParkedGuest open() {
        life++;
        try {
            VmStore opened = VmStore.open(seams.disk().apply(disk), FOLDER, clock, VERSION);
            store = opened;
            ParkedGuest fresh = seams.parked()
                    .apply(new StoredGuest(
                            opened,
                            clock,
                            StoredGuest.Terms.leaving(null, "sim", StoredGuest.Copy.NONE, true),
                            FEW_PAGES,
                            SimStore::twoPages));
            guest = fresh;
            return fresh;
        } catch (StorageException e) {
            ends(false);
            throw e;
        }
    }

    /** What the present process has made of it. */
    ParkedGuest guest() {
        ParkedGuest it = guest;
        if (it == null) {
            throw new IllegalStateException("no process has the store open");
        }
        return it;
    }

    /** What the present process knows it to say, or null: nothing, or there is no process. */
    @Nullable
    StoreState state() {
        VmStore open = store;
        Manifest manifest = open == null ? null : open.manifest();
        return manifest == null ? null : manifest.state();
    }

    boolean parked() {
        return state() instanceof StoreState.Parked || state() instanceof StoreState.ParkedUnconfirmed;
    }

    /** The process has told its operator that the disk may say something else than it. */
    void unsettles() {
        unsettled = true;
    }

    boolean unsettled() {
        return unsettled;
    }

    /** Whether nothing is asked of the disk. */
    boolean idle() {
        return !busy;
    }

    /** The operator's {@code store confirm}. */
    void confirm() {
        VmStore open = store;
        if (open != null) {
            world.trace().event("operator", name + ": the source has completed, so the store is confirmed");
            work(open::confirm, () -> {}, reason -> world.trace().event(name, "not confirmed: " + reason));
        }
    }

    /**
     * The process is to end at a call to the disk.
     *
     * @param calls so many from now on go well
     * @param machine with its machine, which loses power: what was not synced comes to what chance makes of it
     */
    void endsAtCall(int calls, boolean machine) {
        takesMachine = machine;
        disk.losePowerAt(disk.operations() + calls);
    }

    /** Whether the process that ends in the middle of a call to the disk takes its machine along. */
    boolean takesMachine() {
        return takesMachine;
    }

    /** The process is no more, or its machine has lost power. */
    void ends(boolean machine) {
        life++;
        waiting.clear();
        busy = false;
        unsettled = false;
        store = null;
        guest = null;
        if (machine) {
            disk.losePower();
            disk.boot();
        } else {
            disk.killProcess();
        }
    }

    @Override
    public void work(Runnable work, Runnable done, Consumer<String> failed) {
        waiting.add(new Work(work, done, failed));
        if (!busy) {
            next();
        }
    }

    @Override
    public void later(Runnable work, Runnable done, Consumer<String> failed) {
        int mine = life;
        world.queue().after(AGAIN_NANOS, () -> {
            if (mine == life) {
                work(work, done, failed);
            }
        });
    }

    @Override
    public void beside(Runnable work) {
        int mine = life;
        world.queue().after(1_000 + random.nextLong(slowest), () -> {
            SimEndpoint process = end;
            if (mine != life || process == null) {
                return;
            }
            try {
                work.run();
            } catch (PowerLoss _) {
                world.lives().processEnds(process, takesMachine, "in the middle of a write");
            }
            countFailures();
        });
    }

    private void next() {
        Work work = waiting.poll();
        busy = work != null;
        if (work != null) {
            int mine = life;
            world.queue().after(1_000 + random.nextLong(slowest), () -> {
                if (mine == life) {
                    carryOut(work);
                }
            });
        }
    }

    private void carryOut(Work work) {
        SimEndpoint process = end;
        if (process == null) {
            throw new IllegalStateException("a work for nobody");
        }
        String failure = null;
        try {
            work.work.run();
            worked.run();
        } catch (StorageException e) {
            failure = String.valueOf(e.getMessage());
            worked.run();
        } catch (PowerLoss _) {
            world.lives().processEnds(process, takesMachine, "in the middle of a work for its disk");
            return;
        }
        countFailures();
        String why = failure;
        int mine = life;
        world.queue().after(random.nextLong(200_000), () -> {
            if (mine == life) {
                process.event(
                        why == null ? "its disk has done a work, the store says " + word() : "its disk: " + why, () -> {
                            if (why == null) {
                                work.done.run();
                            } else {
                                work.failed.accept(why);
                            }
                        });
            }
        });
        next();
    }

    private void countFailures() {
        for (; failedSyncs < disk.failedSyncs(); failedSyncs++) {
            world.faults().add(FaultKind.SYNC, name);
        }
    }

    private String word() {
        StoreState now = state();
        return now == null ? "nothing" : now.word();
    }

    /** The bytes of a page as the file has them, or null if the file ends before. */
    static byte @Nullable [] filed(SimDisk disk, int block, long page) {
        byte[] file = disk.peek(FOLDER.resolve(Manifest.ramFile(block)));
        long at = page << Pages.SHIFT;
        if (file == null || file.length < at + Pages.SIZE) {
            return null;
        }
        byte[] bytes = new byte[Pages.SIZE];
        System.arraycopy(file, (int) at, bytes, 0, bytes.length);
        return bytes;
    }
}
