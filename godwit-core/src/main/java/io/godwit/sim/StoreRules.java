// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import io.godwit.pump.StorageException;
import io.godwit.store.StoreSource;
import io.godwit.store.StoreState;
import io.godwit.store.StoredDevices;
import io.godwit.store.VmStore;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * What must always hold of a store's disk. Much of it is looked at on another disk: what this one would be if its machine lost power now. Each rule has a mutant in the tests that
 * it catches.
 */
final class StoreRules {
    /** One look in so many works at what a power loss would leave. */
    private static final int LOOK_EVERY = 4;

    private final World world;
    private final SplittableRandom random;

    StoreRules(World world, SplittableRandom random) {
        this.world = world;
        this.random = random;
    }

    /** After each event: a guest that runs is nowhere kept as one that could be run. */
    void check(boolean arrived) {
        SimStore there = world.destination().store();
        StoreState kept = there == null ? null : there.state();
        if (kept != null && kept.holdsGuestData() && world.source().guest().running()) {
            throw new Violation("the guest runs at the source, and the destination's store says " + kept.word());
        }
        SimStore here = world.source().store();
        if (arrived && here != null && here.parked()) {
            throw new Violation("the guest is the destination's, and the source's store says parked");
        }
    }

    /** The destination says that it has the guest, or all of it. */
    void taken(boolean whole) {
        SimStore store = world.destination().store();
        if (store != null) {
            StoreState left = afterPowerLoss(store);
            boolean good = left instanceof StoreState.Parked
                    || left instanceof StoreState.ParkedUnconfirmed
                    || (!whole && left instanceof StoreState.ReceivingPostcopy);
            if (!good) {
                throw new Violation("the destination says that it has " + (whole ? "everything" : "the guest")
                        + ", and after a power loss its disk would say " + word(left));
            }
        }
    }

    /** The destination says that it failed, so that the guest is its source's. */
    void refused() {
        SimStore store = world.destination().store();
        if (store != null) {
            StoreState left = afterPowerLoss(store);
            if (left != null && left.holdsGuestData()) {
                throw new Violation(
                        "the destination says that it has failed, and after a power loss its disk would say "
                                + word(left));
            }
        }
    }

    /** The source has passed its commit point. */
    void committed() {
        SimStore store = world.source().store();
        if (store != null) {
            StoreState left = afterPowerLoss(store);
            if (!(left instanceof StoreState.Leaving) && !(left instanceof StoreState.Gone)) {
                throw new Violation(
                        "the source is past its commit point, and after a power loss its disk would say " + word(left));
            }
        }
    }

    /** After a work of the destination's disk. */
    void sometimes(SimStore store) {
        if (random.nextInt(LOOK_EVERY) == 0) {
            StoreState left = afterPowerLoss(store);
            if (world.destination().machine().ran() && (left == null || !left.holdsGuestData())) {
                throw new Violation(
                        "the destination has the guest, and after a power loss its disk would say " + word(left));
            }
        }
    }

    /** A new process has found what the disk has. */
    void restarted(boolean committed, boolean arrived) {
        SimStore there = world.destination().store();
        if (arrived && there != null && world.destination().alive() && !holds(there.state())) {
            throw new Violation(
                    "the destination had the guest, and after a restart its disk says " + word(there.state()));
        }
        SimStore here = world.source().store();
        if (here != null && world.source().alive()) {
            if (committed && here.parked()) {
                throw new Violation("the source was past its commit point, and after a restart its disk says parked");
            }
            if (!arrived && here.state() instanceof StoreState.Gone) {
                throw new Violation("the destination never had the guest, and the source's disk says gone");
            }
        }
    }

    private static boolean holds(@Nullable StoreState state) {
        return state != null && state.holdsGuestData();
    }

    /**
     * A new process goes on with what an earlier one has received: it is in the files as it came. It may be more than that one knew at last, which had taken back what a failed sync had
     * left in doubt, and may have lived no longer.
     */
    void goesOn(SimStore store, PageSink sink, SimMemory notes) {
        claims(store.disk(), sink, notes);
        for (int page = 0; page < world.truth().pages(); page++) {
            notes.take(page, sink.received(notes.block(page)).get(notes.index(page)), world.truth());
        }
        world.forgotten();
    }

    private void claims(SimDisk disk, PageSink sink, SimMemory notes) {
        byte[] right = new byte[Pages.SIZE];
        for (int page = 0; page < world.truth().pages(); page++) {
            int block = notes.block(page);
            if (!sink.received(block).get(notes.index(page))) {
                continue;
            }
            world.truth().fill(page, right, 0);
            boolean zero = Arrays.equals(right, new byte[Pages.SIZE]);
            byte[] filed = SimStore.filed(disk, block, notes.index(page));
            // The zero map decides; whether zeroes are in the file, too, cannot be known after a failed sync.
            if (!(zero && disk.hasFailedSync()) && !Arrays.equals(right, filed)) {
                throw new Violation("the disk says that " + notes.name(page) + " was received, and does not have it");
            }
        }
    }

    /** What the disk would say, to a new process, of what is checked at that. */
    private @Nullable StoreState afterPowerLoss(SimStore store) {
        SimDisk other = store.disk().asAfterPowerLoss(random.split());
        try (VmStore found = SimStore.look(other)) {
            if (found.manifest() == null) {
                return null;
            }
            StoreState state = found.manifest().state();
            switch (state) {
                case StoreState.Receiving _, StoreState.Gone _, StoreState.Leaving _ -> {}
                case StoreState.ReceivingPostcopy _ ->
                    claims(other, found.resumeReceiving(), world.destination().memory());
                case StoreState.Parked _, StoreState.ParkedUnconfirmed _ -> whole(found);
            }
            return state;
        } catch (StorageException e) {
            throw new Violation("after a power loss the store could not be opened: " + e.getMessage(), e);
        }
    }

    /** Every page that the store gives is the guest's, and so is the device state. */
    private void whole(VmStore store) {
        SimMemory shape = world.source().memory();
        byte[] right = new byte[Pages.SIZE];
        ByteBuffer given = ByteBuffer.allocate(Pages.SIZE);
        try (StoreSource source = store.source()) {
            for (int page = 0; page < world.truth().pages(); page++) {
                world.truth().fill(page, right, 0);
                source.read(shape.block(page), shape.index(page), given.clear());
                if (!Arrays.equals(right, given.array())) {
                    throw new Violation("the disk has " + shape.name(page) + ", and it is not what the guest had");
                }
            }
        }
        StoredDevices devices = store.devices();
        byte[] all = Arrays.copyOf(devices.early(), devices.early().length + devices.late().length);
        System.arraycopy(devices.late(), 0, all, devices.early().length, devices.late().length);
        world.devices().load(all);
    }

    /** All is said and done. */
    void atTheEnd(boolean moved) {
        SimStore there = world.destination().store();
        if (there != null) {
            StoreState left = afterPowerLoss(there);
            boolean good = moved ? left instanceof StoreState.Parked : left == null || !left.holdsGuestData();
            if (!good) {
                throw new Violation("the guest is the " + (moved ? "destination's" : "source's")
                        + " at the end, and the destination's disk says " + word(left));
            }
        }
        SimStore here = world.source().store();
        if (here != null) {
            StoreState left = afterPowerLoss(here);
            boolean good = moved ? left instanceof StoreState.Gone : left instanceof StoreState.Parked;
            if (!good) {
                throw new Violation("the guest is the " + (moved ? "destination's" : "source's")
                        + " at the end, and the source's disk says " + word(left));
            }
        }
    }

    private static String word(@Nullable StoreState state) {
        return state == null ? "nothing" : state.word();
    }
}
