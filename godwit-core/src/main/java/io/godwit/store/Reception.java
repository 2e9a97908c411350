// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The files of a VM that is coming in, and the order in which they become durable. Guarded by its {@link VmStore}; its sink has a lock of its own. */
final class Reception implements AutoCloseable {
    /** Bytes that are worth a sync ahead: a tenth of a second's on a fast network. */
    private static final long MUCH = 64L << 20;

    private final Disk disk;
    private final Path folder;
    private final int attempt;
    private final BlockFiles files;
    private final Presence presence;
    private final StoreSink sink;
    private long generation;
    private @Nullable PresenceFile log;

    private Reception(
            Disk disk,
            Path folder,
            int attempt,
            BlockFiles files,
            Presence presence,
            boolean postcopy,
            long generation,
            Behind behind) {
        this.disk = disk;
        this.folder = folder;
        this.attempt = attempt;
        this.files = files;
        this.presence = presence;
        this.sink = new StoreSink(files, presence, postcopy, behind);
        this.generation = generation;
    }

    /** Empty files under durable names. */
    static Reception begin(Disk disk, Path folder, BlockTable table, int attempt, Behind behind) throws DiskException {
        for (String name : disk.list(folder)) {
            if (Removal.isPart(name)) {
                disk.delete(folder.resolve(name));
            }
        }
        BlockFiles files = BlockFiles.open(disk, folder, table, true);
        boolean done = false;
        try {
            for (int block = 0; block < table.size(); block++) {
                files.clear(block);
            }
            DeviceFile.reserve(disk, folder);
            disk.syncFolder(folder);
            done = true;
            return new Reception(disk, folder, attempt, files, new Presence(table), false, 0, behind);
        } finally {
            if (!done) {
                files.close();
            }
        }
    }

    /** What an earlier process made durable. */
    static Reception resume(Disk disk, Path folder, BlockTable table, int attempt, Behind behind) throws DiskException {
        BlockFiles files = BlockFiles.open(disk, folder, table, true);
        boolean done = false;
        try {
            Presence presence = new Presence(table);
            long generation = StoredVm.readPresence(disk, folder, attempt, presence);
            presence.fallBackToDurable();
            for (int block = 0; block < table.size(); block++) {
                files.lengthen(block);
            }
            done = true;
            return new Reception(disk, folder, attempt, files, presence, true, generation, behind);
        } finally {
            if (!done) {
                files.close();
            }
        }
    }

    StoreSink sink() {
        return sink;
    }

    /** Pages that are durable now. */
    long checkpoint() {
        save(false);
        return presence.durablePages();
    }

    /** The last checkpoint, after which no page comes. May be made again. */
    void finish() {
        save(true);
    }

    /** First the data, then what says that it is there: the order that everything hangs on. */
    private void save(boolean compact) {
        PageBitmap[] received = syncData();
        try {
            say(received, compact);
        } catch (DiskException e) {
            if (e.kind() == DiskException.Kind.SYNC) {
                sink.fail(String.valueOf(e.getMessage()));
                throw Failures.lost(e);
            }
            throw Failures.of(e);
        }
        for (int block = 0; block < received.length; block++) {
            PageBitmap durable = presence.durable(block);
            for (int i = 0; i < durable.wordCount(); i++) {
                durable.setWord(i, received[block].word(i));
            }
        }
    }

    /** Syncs the data that has come, once it is much, and says nothing of it: the last checkpoint has less to wait for then. */
    void writeOut() {
        if (sink.unsettled() >= MUCH) {
            syncData();
        }
    }

    /** What is durable then, if nothing failed. */
    private PageBitmap[] syncData() {
        boolean[] toSync = new boolean[presence.table().size()];
        PageBitmap[] received = sink.settle(toSync);
        try {
            for (int block = 0; block < toSync.length; block++) {
                if (toSync[block]) {
                    files.sync(block);
                }
            }
        } catch (DiskException e) {
            sink.fail(String.valueOf(e.getMessage()));
            throw Failures.lost(e);
        }
        return received;
    }

    private void say(PageBitmap[] received, boolean compact) throws DiskException {
        PresenceFile present = log;
        if (present == null || compact || present.isLong()) {
            replaceLog(received);
        } else {
            present.append(received);
        }
    }

    private void replaceLog(PageBitmap[] received) throws DiskException {
        PresenceFile old = log;
        PresenceFile fresh = PresenceFile.rewrite(disk, folder, presence, received, attempt, generation + 1);
        generation++;
        log = fresh;
        if (old != null) {
            old.close();
        }
    }

    /** Forgets what is not durable; the file that says what is must be a new one, because what a failed sync left of the old one is unknown. */
    void rollBack() {
        sink.forgetUnsynced();
        PageBitmap[] durable = new PageBitmap[presence.table().size()];
        for (int block = 0; block < durable.length; block++) {
            durable[block] = presence.durable(block);
        }
        try {
            replaceLog(durable);
        } catch (DiskException e) {
            throw Failures.again(e);
        }
        sink.heal();
    }

    @Override
    public void close() throws DiskException {
        sink.seal();
        PresenceFile open = log;
        log = null;
        try (files) {
            if (open != null) {
                open.close();
            }
        }
    }
}
