// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What befalls the end that has a store: its process is killed, its machine loses power, at any moment or in the middle of a call to the disk; its disk is full, out of reach, or fails to sync. */
final class Mishaps {
    private final World world;
    private final SplittableRandom random;
    private boolean healed;
    private @Nullable String dark;

    Mishaps(World world, SplittableRandom random) {
        this.world = world;
        this.random = random;
    }

    /** Whether the end's machine has no power, so that nobody there answers. */
    boolean dark(SimEndpoint end) {
        return end.name().equals(dark);
    }

    /**
     * Puts everything that will happen within so many nanoseconds on the queue.
     *
     * @param quiet nanoseconds at the beginning in which little happens
     */
    void plan(long quiet, long length) {
        SimEndpoint end = world.keeper();
        SimStore store = end == null ? null : end.store();
        if (end == null || store == null) {
            return;
        }
        for (int n = random.nextInt(6); n > 0; n--) {
            at(quiet + random.nextLong(length - quiet), () -> strike(end, store));
        }
        for (int n = random.nextInt(4); n > 0; n--) {
            at(random.nextLong(length), () -> trouble(store));
        }
        // A guest on its way is what all of it is about.
        long rest = 10_000_000L << random.nextInt(5);
        for (long t = random.nextLong(rest); t < length; t += 1 + random.nextLong(rest)) {
            at(t, () -> {
                boolean between = world.source().state().holdsGuestData()
                        || world.destination().state().holdsGuestData();
                if (between && random.nextInt(4) == 0) {
                    strike(end, store);
                }
            });
        }
    }

    private void at(long time, Runnable action) {
        world.queue().after(time, action);
    }

    private void strike(SimEndpoint end, SimStore store) {
        if (!end.alive() || healed) {
            return;
        }
        boolean machine = random.nextInt(3) == 0;
        if (random.nextInt(3) == 0) {
            world.lives().processEnds(end, machine, "between two events");
        } else {
            store.endsAtCall(random.nextInt(random.nextBoolean() ? 8 : 60), machine);
        }
    }

    private void trouble(SimStore store) {
        if (healed) {
            return;
        }
        long lasts = 60_000_000;
        switch (random.nextInt(3)) {
            case 0 -> {
                world.faults().add(FaultKind.FULL, "the store's");
                store.disk().full(true);
            }
            case 1 -> {
                // Seldom one comes: until then, the disk is as it is.
                store.disk().failSyncs(random.nextInt(5), 1 + random.nextInt(3));
                lasts = 500_000_000;
            }
            default -> {
                world.faults().add(FaultKind.AWAY, "the store's");
                store.disk().vanished(true);
            }
        }
        at(random.nextLong(lasts), () -> well(store));
    }

    private void well(SimStore store) {
        store.disk().full(false);
        store.disk().vanished(false);
        store.disk().failSyncs(0, 0);
        world.trace().event("operator", "the store's disk is well");
    }

    /** Somebody has seen to everything. */
    void heal() {
        healed = true;
        SimEndpoint end = world.keeper();
        SimStore store = end == null ? null : end.store();
        if (store != null) {
            store.disk().losePowerAt(Long.MAX_VALUE);
            well(store);
        }
    }

    /** The end's process is no more; somebody will start another. */
    void ended(SimEndpoint end, boolean machine) {
        dark = machine ? end.name() : null;
        long down = healed ? 1_000_000 : random.nextLong(150_000_000);
        at(1 + random.nextLong(down), () -> start(end));
    }

    private void start(SimEndpoint end) {
        dark = null;
        if (!end.alive() && !world.lives().revive(end)) {
            at(5_000_000 + random.nextLong(20_000_000), () -> start(end));
        }
    }
}
