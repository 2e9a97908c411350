// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.pump.Arrival;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StreamIdentity;
import io.godwit.store.Disk;
import io.godwit.store.DiskException;
import io.godwit.store.DiskFile;
import io.godwit.store.DiskLock;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Where deliberate bugs of a store are put: around its guest, and around its disk. */
final class StoreMutants {
    private StoreMutants() {}

    /** A parked guest that hands everything on. */
    static class Parked implements ParkedGuest {
        final ParkedGuest to;
        private @Nullable DiskWorks given;

        Parked(ParkedGuest to) {
            this.to = to;
        }

        @Override
        public Phase phase() {
            return to.phase();
        }

        /** The sink that there is. */
        PageSink sinkNow() {
            return to.sink(Objects.requireNonNull(given));
        }

        @Override
        public @Nullable String receive(Arrival arrival, DiskWorks works) {
            given = works;
            return to.receive(arrival, works);
        }

        @Override
        public PageSink sink(DiskWorks works) {
            given = works;
            return to.sink(works);
        }

        @Override
        public void reset() {
            to.reset();
        }

        @Override
        public void handOver(MachineState state) {
            to.handOver(state);
        }

        @Override
        public void checkpoint() {
            to.checkpoint();
        }

        @Override
        public void mend() {
            to.mend();
        }

        @Override
        public void park(@Nullable MachineState state, boolean confirmed) {
            to.park(state, confirmed);
        }

        @Override
        public boolean undecided() {
            return to.undecided();
        }

        @Override
        public void settle() {
            to.settle();
        }

        @Override
        public @Nullable String whyNotLeave() {
            return to.whyNotLeave();
        }

        @Override
        public StreamIdentity identity() {
            return to.identity();
        }

        @Override
        public PageSource source(DiskWorks works) {
            return to.source(works);
        }

        @Override
        public MachineState state() {
            return to.state();
        }

        @Override
        public void leave(Departure departure) {
            to.leave(departure);
        }

        @Override
        public void stay() {
            to.stay();
        }

        @Override
        public void gone() {
            to.gone();
        }

        @Override
        public void close() {
            to.close();
        }
    }

    /**
     * A disk whose syncs of some files, or of folders, are left out: as if the store forgot them. A folder's own name is durable at once, else little else would be noticed.
     *
     * @param files which files' syncs, by name
     * @param folders whether those of folders
     */
    record Unsynced(Disk to, Predicate<String> files, boolean folders) implements Disk {
        @Override
        public DiskFile openForReading(Path file) throws DiskException {
            return to.openForReading(file);
        }

        @Override
        public DiskFile openForWriting(Path file) throws DiskException {
            DiskFile open = to.openForWriting(file);
            return files.test(String.valueOf(file.getFileName())) ? new UnsyncedFile(open) : open;
        }

        @Override
        public void rename(Path from, Path target) throws DiskException {
            to.rename(from, target);
        }

        @Override
        public void syncFolder(Path folder) throws DiskException {
            if (!folders) {
                to.syncFolder(folder);
            }
        }

        @Override
        public void createFolder(Path folder) throws DiskException {
            to.createFolder(folder);
            for (Path above = folder.getParent(); above != null; above = above.getParent()) {
                to.syncFolder(above);
            }
        }

        @Override
        public List<String> list(Path folder) throws DiskException {
            return to.list(folder);
        }

        @Override
        public boolean exists(Path path) {
            return to.exists(path);
        }

        @Override
        public boolean isFolder(Path path) {
            return to.isFolder(path);
        }

        @Override
        public void delete(Path path) throws DiskException {
            to.delete(path);
        }

        @Override
        public DiskLock lock(Path file) throws DiskException {
            return to.lock(file);
        }
    }

    private record UnsyncedFile(DiskFile to) implements DiskFile {
        @Override
        public int read(ByteBuffer into, long position) throws DiskException {
            return to.read(into, position);
        }

        @Override
        public void write(ByteBuffer from, long position) throws DiskException {
            to.write(from, position);
        }

        @Override
        public void sync() {}

        @Override
        public long size() throws DiskException {
            return to.size();
        }

        @Override
        public void setSize(long bytes) throws DiskException {
            to.setSize(bytes);
        }

        @Override
        public void close() throws DiskException {
            to.close();
        }
    }
}
