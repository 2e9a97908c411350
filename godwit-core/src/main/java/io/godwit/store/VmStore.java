// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * One VM's folder, held exclusively. Every transition is durable when it returns, and an illegal one throws a {@link StoreException} of kind {@code REFUSED} with a
 * sentence, having changed nothing.
 *
 * <p>Threads: any; calls wait for one another, so a thread that must not wait for a sync ({@link #checkpoint}, {@link #rollBack}, {@link #park} make some) leaves
 * these to another and calls nothing here meanwhile. {@link #manifest} never waits, and the sink goes on during a checkpoint.
 */
public final class VmStore implements AutoCloseable {
    static final String LOCK = "lock";

    private final Disk disk;
    private final Path folder;
    private final InstantSource clock;
    private final String version;
    private final DiskLock lock;
    private final Ledger ledger;
    private @Nullable Reception reception;
    private boolean closed;

    private VmStore(Disk disk, Path folder, InstantSource clock, String version, DiskLock lock) {
        this.disk = disk;
        this.folder = folder;
        this.clock = clock;
        this.version = version;
        this.lock = lock;
        this.ledger = new Ledger(disk, folder, clock);
    }

    /**
     * Takes the folder, creating it if need be; a VM that is there is as its last process left it. {@link #manifest} is null if nothing was received yet.
     *
     * @param version Godwit's, for the manifest
     * @throws StoreException LOCKED, CORRUPT, or what the disk says
     */
    public static VmStore open(Disk disk, Path folder, InstantSource clock, String version) {
        try {
            disk.createFolderDurably(folder.toAbsolutePath());
            VmStore store = new VmStore(disk, folder, clock, version, disk.lock(folder.resolve(LOCK)));
            boolean done = false;
            try {
                store.ledger.adopt();
                done = true;
                return store;
            } finally {
                if (!done) {
                    store.close();
                }
            }
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    /** As {@link #open}, but refuses a folder in which no VM is, with kind {@code MISSING}, and creates nothing. */
    public static VmStore openExisting(Disk disk, Path folder, InstantSource clock, String version) {
        if (!disk.exists(folder.resolve(ManifestFile.NAME))) {
            throw Failures.missing(folder);
        }
        return open(disk, folder, clock, version);
    }

    public Path folder() {
        return folder;
    }

    /** Null as long as no source has begun. */
    public @Nullable Manifest manifest() {
        return ledger.manifest();
    }

    // ---- coming in

    /**
     * A source's block list has come: forgets what an earlier attempt left and creates the files. From nothing, {@code Receiving} and {@code Gone}; else refused.
     * Durable: some syncs of small files and folders.
     *
     * @param behind how the pages get to the files
     * @return the sink for its pages, in precopy
     */
    public synchronized StoreSink receive(Arrival arrival, Behind behind) {
        requireOpen();
        Manifest before = ledger.manifest();
        if (before != null
                && !(before.state() instanceof StoreState.Receiving)
                && !(before.state() instanceof StoreState.Gone)) {
            throw ledger.refused(
                    before, "another VM cannot be received into it; choose another folder, or remove it first");
        }
        BlockTable table = new BlockTable(arrival.blocks());
        Presence.requireRoom(table);
        try {
            endReception();
            if (before == null) {
                Removal.makeWay(disk, folder);
            }
            Manifest begun = Manifest.receiving(before, arrival, clock.instant(), version);
            ledger.become(begun);
            Reception fresh = Reception.begin(disk, folder, table, begun.attempt(), behind);
            reception = fresh;
            return fresh.sink();
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    /** As {@link #receive(Arrival, Behind)}, by one thread. */
    public StoreSink receive(Arrival arrival) {
        return receive(arrival, Behind.NOT);
    }

    /** As {@link #resumeReceiving(Behind)}, by one thread. */
    public StoreSink resumeReceiving() {
        return resumeReceiving(Behind.NOT);
    }

    /** After {@link #open} found {@code ReceivingPostcopy}: the sink in postcopy, with what was received as of the last checkpoint. */
    public synchronized StoreSink resumeReceiving(Behind behind) {
        Manifest now = held().require("its reception cannot go on", StoreState.ReceivingPostcopy.class);
        if (reception != null) {
            return reception.sink();
        }
        try {
            ledger.become(now.withRunState(RunState.of(StoredVm.devices(disk, folder, now))));
            Reception again =
                    Reception.resume(disk, folder, new BlockTable(now.arrival().blocks()), now.attempt(), behind);
            reception = again;
            return again.sink();
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    /**
     * PACKAGED has come whole: from here on this store holds what exists nowhere else. One sync. To be called after {@link StoreSink#beginPostcopy} and before anything
     * tells the source so (PONG of what is in the blob, RESUME). If it throws, only the caller's memory holds the devices: it is to be called again once the disk is well.
     */
    public synchronized void handOver(StoredDevices devices) {
        Manifest now = held().require("nothing can be handed over to it", StoreState.Receiving.class);
        if (reception == null || !reception.sink().isPostcopy()) {
            throw new IllegalStateException("a hand-over comes after a reception's switch to postcopy");
        }
        try {
            DeviceFile.commit(disk, folder, devices, now.attempt());
        } catch (DiskException e) {
            throw Failures.again(e);
        }
        ledger.becomeOwing(
                now.with(new StoreState.ReceivingPostcopy(), clock.instant()).withRunState(RunState.of(devices)));
    }

    /**
     * Makes what was received until now durable, data first, then the bitmap that says so. Costs what was written since the last one, and a look at two bits per page.
     *
     * <p>Before {@link #handOver} nothing here is worth keeping, and nothing is said of it. Then this only syncs the data once they have become much, so that {@link #park} has less to
     * wait for; nothing waits for this meanwhile, neither {@link #receive} nor the sink.
     *
     * @return pages that are durable now, and said to be
     */
    public long checkpoint() {
        Reception ahead;
        synchronized (this) {
            requireOpen();
            Manifest now = ledger.manifest();
            if (reception == null || now == null) {
                return 0;
            }
            if (now.state() instanceof StoreState.ReceivingPostcopy) {
                ledger.settle();
                return reception.checkpoint();
            }
            ahead = reception;
        }
        try {
            ahead.writeOut();
        } catch (StoreException e) {
            synchronized (this) {
                // Another attempt has begun meanwhile, and has closed the files of this one.
                if (reception == ahead) {
                    throw e;
                }
            }
        }
        return 0;
    }

    /**
     * After a failed sync: forgets everything that is not durable; the received bitmaps shrink in place, so whoever counts pages counts anew. No page may be placed meanwhile.
     * If it throws, the store goes on refusing pages: it is to be called again once the disk is well.
     */
    public synchronized void rollBack() {
        held().require("there is nothing to roll back", StoreState.ReceivingPostcopy.class);
        if (reception == null) {
            throw new IllegalStateException("no reception is under way");
        }
        ledger.settle();
        reception.rollBack();
    }

    /**
     * Everything has come: syncs files and folder, then says parked. Refused if a page lacks. SHUT 0 may be sent after it. If it throws, a precopy has failed once it is not {@link #undecided},
     * and a postcopy goes on: after a {@code SYNC_FAILED} by {@link #rollBack} and a recovery, else it may be called again.
     *
     * @param devices null in postcopy, where {@link #handOver} had them
     * @param confirmed whether the source cannot resume: of a QEMU that is not known before it was heard to have completed, in postcopy neither
     */
    public synchronized void park(@Nullable StoredDevices devices, boolean confirmed) {
        Manifest now =
                held().require("it cannot be parked", StoreState.Receiving.class, StoreState.ReceivingPostcopy.class);
        boolean postcopy = now.state() instanceof StoreState.ReceivingPostcopy;
        Reception done = reception;
        if (done == null
                || postcopy != (devices == null)
                || postcopy != done.sink().isPostcopy()) {
            throw new IllegalStateException("a parked VM has been received, its devices by exactly one way");
        }
        long missing = done.sink().missing();
        if (missing > 0) {
            throw ledger.refused(now, "it cannot be parked, since " + missing + " pages have not come");
        }
        done.finish();
        try {
            Manifest parked = now;
            if (devices != null) {
                DeviceFile.replace(disk, folder, new DeviceFile.Content(devices, false), now.attempt());
                disk.syncFolder(folder);
                parked = now.withRunState(RunState.of(devices));
            }
            ledger.becomeOrStay(parked.with(
                    confirmed ? new StoreState.Parked() : new StoreState.ParkedUnconfirmed(), clock.instant()));
        } catch (DiskException e) {
            throw Failures.again(e);
        }
        done.sink().seal();
    }

    /** A {@link #park} in precopy threw, and the disk may say parked all the same: until {@link #settle} returns, or another process sees, the source hears nothing and what came stays. Never waits. */
    public boolean undecided() {
        return ledger.undecided();
    }

    /** The source was heard to have completed. From {@code ParkedUnconfirmed}; in {@code Parked} it does nothing. */
    public synchronized void confirm() {
        Manifest now = held().require(
                        "there is nothing to confirm", StoreState.ParkedUnconfirmed.class, StoreState.Parked.class);
        if (now.state() instanceof StoreState.ParkedUnconfirmed) {
            ledger.move(now, new StoreState.Parked());
        }
    }

    /**
     * The source has the VM: what is here is an old copy, or a part of one. From {@code ParkedUnconfirmed}, and from {@code ReceivingPostcopy}, since a QEMU from 11 on takes a
     * guest back if the channel ends before it hears that the device state was loaded; but not while pages are received here.
     */
    public synchronized void disown(String reason) {
        Manifest now = held().require(
                        "it cannot be its source's",
                        StoreState.ParkedUnconfirmed.class,
                        StoreState.ReceivingPostcopy.class);
        if (now.state() instanceof StoreState.ReceivingPostcopy && reception != null) {
            throw ledger.refused(now, "it cannot be its source's while its pages are received");
        }
        ledger.move(now, new StoreState.Gone(null, reason));
    }

    // ---- going out

    /**
     * Reads the pages of a complete VM ({@code Parked}, {@code ParkedUnconfirmed}, {@code Leaving}, {@code Gone}). Each call gives a source of its own, to be closed, for one thread.
     * Costs 64 KiB of reading per GiB of RAM at most, whatever is in it.
     */
    public synchronized StoreSource source() {
        Manifest now = held().requireComplete();
        try {
            return StoredVm.source(disk, folder, now);
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    /** The device state of a complete VM, checked against its digest. */
    public synchronized StoredDevices devices() {
        Manifest now = held().requireComplete();
        try {
            return StoredVm.devices(disk, folder, now);
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    /** Why {@link #leave} would be refused, as a sentence, or null. To be asked before anything is connected. */
    public @Nullable String whyNotLeave(boolean evenUnconfirmed) {
        return ledger.whyNotLeave(evenUnconfirmed);
    }

    /**
     * The destination may run it from now on: to be called before the commit point's last byte is handed to the kernel. If it throws, the manifest on disk may say either.
     *
     * @param evenUnconfirmed the operator's explicit word for a VM in {@code ParkedUnconfirmed}
     */
    public synchronized void leave(StoreState.Departure departure, boolean evenUnconfirmed) {
        Manifest now = held().requireLeavable(evenUnconfirmed);
        ledger.move(now, new StoreState.Leaving(departure, now.state() instanceof StoreState.Parked));
    }

    /** As {@link #leave}, but as a copy: the state stays, and the manifest counts it. */
    public synchronized void leaveAsClone(StoreState.Departure departure, boolean evenUnconfirmed) {
        Manifest now = held().requireLeavable(evenUnconfirmed);
        ledger.commit(now.withClone(departure));
    }

    /**
     * The destination never got it: proven (the commit point's last byte was not handed to the kernel, or the peer said so), or an operator's word. {@code Leaving} to what
     * it was before.
     */
    public synchronized void takeBack() {
        Manifest now = held().require("there is nothing to take back", StoreState.Leaving.class);
        boolean confirmed = now.state() instanceof StoreState.Leaving leaving && leaving.confirmed();
        ledger.move(now, confirmed ? new StoreState.Parked() : new StoreState.ParkedUnconfirmed());
    }

    /** Makes the disk say what this store says, where something else could not be written and may be there all the same: after a {@link #leave} or a {@link #park} that failed. */
    public synchronized void settle() {
        held().settle();
    }

    /** The destination has confirmed that everything is there (SHUT 0, or its QMP). {@code Leaving} to {@code Gone}. */
    public synchronized void gone(String reason) {
        Manifest now = held().require("it cannot be gone", StoreState.Leaving.class);
        if (now.state() instanceof StoreState.Leaving leaving) {
            ledger.move(now, new StoreState.Gone(leaving.departure(), reason));
        }
    }

    /**
     * An operator's word that the destination has it, where nothing could confirm it (a file, a command without a way back). {@code Leaving} to {@code Gone}.
     *
     * @param whole that all of its memory is there, which a VM that left by postcopy needs
     */
    public synchronized void arrived(boolean whole) {
        held().requireArrivable(whole);
        gone("an operator has said that its destination has it");
    }

    private Ledger held() {
        requireOpen();
        return ledger;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the store of " + folder + " is closed");
        }
    }

    private void endReception() throws DiskException {
        Reception ended = reception;
        reception = null;
        if (ended != null) {
            ended.close();
        }
    }

    /** Deletes the VM's files; see {@link Removal}. The folder is closed afterwards. */
    synchronized void removeFiles() {
        requireOpen();
        try {
            endReception();
            Removal.delete(disk, folder);
            ledger.forget();
        } catch (DiskException e) {
            throw Failures.again(e);
        }
        close();
    }

    /** Gives the folder back to other processes. Nothing is made durable by it. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (lock) {
            endReception();
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }
}
