// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** A VM's manifest in memory and on disk, and what each state allows. Guarded by its {@link VmStore}, but for reading. */
final class Ledger {
    private final Disk disk;
    private final Path folder;
    private final InstantSource clock;
    private volatile @Nullable Manifest manifest;
    /** The manifest on disk may not be the one in memory: that is ahead, by a commit that the device file says, or another could not be written and may be there all the same. */
    private volatile boolean owed;

    Ledger(Disk disk, Path folder, InstantSource clock) {
        this.disk = disk;
        this.folder = folder;
        this.clock = clock;
    }

    /** Any thread. */
    @Nullable
    Manifest manifest() {
        return manifest;
    }

    /**
     * What is read may be what a killed process has written and not synced, or what the system shows although its sync has failed: before anything is built on it, it is written
     * anew and synced. (The presence file is replaced by the first checkpoint in the same way.)
     */
    void adopt() throws DiskException {
        Manifest found = ManifestFile.read(disk, folder);
        if (found == null) {
            return;
        }
        if (found.state() instanceof StoreState.ReceivingPostcopy) {
            DeviceFile.Content devices = DeviceFile.read(disk, folder, found.attempt());
            if (devices != null) {
                DeviceFile.replace(disk, folder, devices, found.attempt());
            }
        }
        become(found);
    }

    /** Durable when it returns. */
    void become(Manifest next) throws DiskException {
        ManifestFile.prepare(disk, folder, next);
        owed = true;
        ManifestFile.replace(disk, folder);
        manifest = next;
        owed = false;
    }

    /**
     * As {@link #become}, but if that fails what was said before is written again, and only then does anybody hear of it: whoever is told that it failed acts on that, and what could not be made durable
     * is perhaps on disk all the same.
     */
    void becomeOrStay(Manifest next) throws DiskException {
        try {
            become(next);
        } catch (DiskException e) {
            try {
                settle();
            } catch (StoreException too) {
                e.addSuppressed(too);
            }
            throw e;
        }
    }

    /** Any thread: the VM is its source's as far as this process knows, and the disk may say that it is parked. */
    boolean undecided() {
        Manifest now = manifest;
        return owed && now != null && now.state() instanceof StoreState.Receiving;
    }

    /** The device file says so already; the manifest on disk follows with {@link #settle}. */
    void becomeOwing(Manifest next) {
        manifest = next;
        owed = true;
    }

    /** Writes what is owed. */
    void settle() {
        Manifest now = manifest;
        if (owed && now != null) {
            commit(now);
        }
    }

    void move(Manifest now, StoreState next) {
        commit(now.with(next, clock.instant()));
    }

    void commit(Manifest next) {
        try {
            become(next);
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    void forget() {
        manifest = null;
    }

    /** The manifest, if its state is one of these; {@code what} says what cannot be otherwise. */
    @SafeVarargs
    final Manifest require(String what, Class<? extends StoreState>... states) {
        Manifest now = manifest;
        if (now == null) {
            throw new StoreException(StoreException.Kind.REFUSED, "there is no VM in " + folder + ": " + what);
        }
        for (Class<? extends StoreState> state : states) {
            if (state.isInstance(now.state())) {
                return now;
            }
        }
        throw refused(now, what);
    }

    Manifest requireComplete() {
        return require(
                "its pages cannot be read before all have come",
                StoreState.Parked.class,
                StoreState.ParkedUnconfirmed.class,
                StoreState.Leaving.class,
                StoreState.Gone.class);
    }

    Manifest requireLeavable(boolean evenUnconfirmed) {
        Manifest now = manifest;
        String refusal = whyNotLeave(evenUnconfirmed);
        if (refusal != null || now == null) {
            throw new StoreException(StoreException.Kind.REFUSED, String.valueOf(refusal));
        }
        return now;
    }

    /** After a postcopy the destination may still want pages that are here: {@code whole} is the word that it does not. */
    void requireArrivable(boolean whole) {
        Manifest now = require("it cannot have arrived anywhere", StoreState.Leaving.class);
        if (now.state() instanceof StoreState.Leaving leaving
                && leaving.departure().postcopy()
                && !whole) {
            throw refused(
                    now,
                    "it left by postcopy, and its destination may still need memory that is here; say --whole if you"
                            + " have seen the destination say 'completed'");
        }
    }

    @Nullable
    String whyNotLeave(boolean evenUnconfirmed) {
        Manifest now = manifest;
        return now == null ? "there is no VM in " + folder : Leave.refusal(now, folder, evenUnconfirmed);
    }

    StoreException refused(Manifest now, String what) {
        return new StoreException(
                StoreException.Kind.REFUSED,
                "the VM in " + folder + " is " + now.state().word() + ": " + what);
    }
}
