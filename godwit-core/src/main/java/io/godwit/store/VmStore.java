// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * One VM's folder, held exclusively. Every transition is durable when it returns, and an illegal one throws a {@link StoreException} of kind {@code REFUSED} with a
 * sentence, having changed nothing.
 *
 * <p>Threads: {@link #checkpoint} and {@link #rollBack} on any one thread while the loop goes on with the sink; everything else by one thread at a time. All
 * but {@link #state} and {@link #manifest} may block in I/O.
 */
public final class VmStore implements AutoCloseable {
    private VmStore() {}

    /**
     * Takes the folder, creating it if need be; a VM that is there is as its last process left it. Manifest null means that nothing was received yet.
     *
     * @param version Godwit's, for the manifest
     * @throws StoreException LOCKED, CORRUPT, or what the disk says
     */
    public static VmStore open(Disk disk, Path folder, InstantSource clock, String version) {
        throw new UnsupportedOperationException();
    }

    public Path folder() {
        throw new UnsupportedOperationException();
    }

    /** Null as long as no source has begun. Any thread. */
    public @Nullable Manifest manifest() {
        throw new UnsupportedOperationException();
    }

    // ---- coming in

    /**
     * A source's block list has come: forgets what an earlier attempt left, creates the files. From nothing, {@code Receiving} and {@code Gone}; else refused. Durable.
     *
     * @return the sink for its pages, in precopy
     */
    public StoreSink receive(Arrival arrival) {
        throw new UnsupportedOperationException();
    }

    /** After {@link #open} found {@code ReceivingPostcopy}: the sink in postcopy, with what was received as of the last checkpoint. */
    public StoreSink resumeReceiving() {
        throw new UnsupportedOperationException();
    }

    /**
     * PACKAGED has come whole: from here on this store holds what exists nowhere else. One sync. Call before anything tells the source so (PONG of what is in the
     * blob, RESUME), after {@link StoreSink#beginPostcopy}. If it throws, nothing but memory holds the devices: call it again once the disk is well.
     */
    public void handOver(StoredDevices devices) {
        throw new UnsupportedOperationException();
    }

    /**
     * Makes what was received until now durable, data first, then the bitmap that says so. Only from {@link #handOver} on (before it nothing here is worth
     * keeping: then it does nothing). Costs what was written since the last one.
     *
     * @return pages that are durable now
     */
    public long checkpoint() {
        throw new UnsupportedOperationException();
    }

    /**
     * After a failed sync: forgets everything that is not durable; received bitmaps shrink in place. No page may be placed meanwhile. If it throws, the
     * store goes on refusing pages: call it again once the disk is well.
     */
    public void rollBack() {
        throw new UnsupportedOperationException();
    }

    /**
     * Everything has come: syncs files and folder, then says parked. Refused if a page lacks. SHUT 0 may be sent after it.
     *
     * @param devices null in postcopy, where {@link #handOver} had them
     * @param confirmed whether the source cannot resume any more: in postcopy always
     */
    public void park(@Nullable StoredDevices devices, boolean confirmed) {
        throw new UnsupportedOperationException();
    }

    /** The source was heard to have completed. From {@code ParkedUnconfirmed}; in {@code Parked} it does nothing. */
    public void confirm() {
        throw new UnsupportedOperationException();
    }

    /** The source has resumed the VM: what is here is an old copy. From {@code ParkedUnconfirmed}. */
    public void disown(String reason) {
        throw new UnsupportedOperationException();
    }

    // ---- going out

    /** Reads pages and devices of a VM in {@code Parked}, {@code ParkedUnconfirmed}, {@code Leaving} or {@code Gone}. Each call gives one of its own, for one thread; close it. */
    public StoreSource source() {
        throw new UnsupportedOperationException();
    }

    /** The device state of a complete VM, its checksum verified. */
    public StoredDevices devices() {
        throw new UnsupportedOperationException();
    }

    /** Why {@link #leave} would be refused, as a sentence, or null. To be asked before anything is connected. */
    public @Nullable String whyNotLeave(boolean evenUnconfirmed) {
        throw new UnsupportedOperationException();
    }

    /**
     * The destination may run it from now on: to be called before the commit point's last byte is handed to the kernel.
     *
     * @param evenUnconfirmed the operator's explicit word for a VM in {@code ParkedUnconfirmed}
     */
    public void leave(StoreState.Departure departure, boolean evenUnconfirmed) {
        throw new UnsupportedOperationException();
    }

    /** As {@link #leave}, but as a copy: the state stays, and the manifest counts it. */
    public void leaveAsClone(boolean evenUnconfirmed) {
        throw new UnsupportedOperationException();
    }

    /** The destination never got it: proven (the commit point's last byte was not handed to the kernel, or the peer said so), or an operator's word. {@code Leaving} to {@code Parked}. */
    public void takeBack(String reason) {
        throw new UnsupportedOperationException();
    }

    /** The destination has confirmed that everything is there (SHUT 0, RESUME_ACK of a completed one, its QMP). {@code Leaving} to {@code Gone}. */
    public void gone(String reason) {
        throw new UnsupportedOperationException();
    }

    /** Gives the folder back to other processes. Nothing is made durable by it. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
