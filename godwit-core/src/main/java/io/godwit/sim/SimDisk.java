// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.store.Disk;
import io.godwit.store.DiskException;
import io.godwit.store.DiskFile;
import io.godwit.store.DiskLock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that loses power, and is as unkind at that as the rules allow: of the writes that were not synced each is kept, dropped, or torn in sectors of
 * {@value #SECTOR} bytes, independently of the others and of their order; of the unsynced changes of a folder's names the first few are kept, and of new folders some, with what is in them. A sync
 * that fails loses what it should have saved in the same way, although readers go on seeing it. One thread.
 */
public final class SimDisk implements Disk {
    static final int SECTOR = 512;

    private final RandomGenerator random;
    private final Map<Path, Folder> folders = new TreeMap<>();
    /** Folders whose names are not on the medium, those above first. */
    private final Set<Path> fresh = new TreeSet<>();

    private final Set<Path> locks = new HashSet<>();
    private long operations;
    private long powerLossAt = Long.MAX_VALUE;
    private int goodSyncs;
    private int failingSyncs;
    private long failedSyncs;
    /** A process has ended within a sync, of which some reached the medium. */
    private boolean syncLost;

    private boolean full;
    private boolean readOnly;
    private boolean vanished;
    private boolean dead;
    private int boots;

    /** A folder's names: as seen, and as they are on the medium. */
    private static final class Folder {
        final TreeMap<String, SimFile> names = new TreeMap<>();
        final TreeMap<String, SimFile> durable = new TreeMap<>();
        final List<Change> changes = new ArrayList<>();
    }

    /** {@code from} is the name that a rename takes away, {@code file} null for a deletion. */
    private record Change(
            @Nullable String from, String name, @Nullable SimFile file) {
        void apply(TreeMap<String, SimFile> names) {
            if (from != null) {
                names.remove(from);
            }
            if (file == null) {
                names.remove(name);
            } else {
                names.put(name, file);
            }
        }
    }

    /** @param random decides what an unsynced write comes to */
    public SimDisk(RandomGenerator random) {
        this.random = random;
    }

    /** Calls so far that could have ended in a power loss. */
    public long operations() {
        return operations;
    }

    /** The call with this number, counted as in {@link #operations}, from 0, and all later ones, throw {@link PowerLoss}; a write gets somewhere before. */
    public void losePowerAt(long operation) {
        powerLossAt = operation;
    }

    /** Loses power now. */
    public void losePower() {
        dead = true;
    }

    /** After so many more good syncs, of files or folders, so many fail. */
    public void failSyncs(int good, int failing) {
        goodSyncs = good;
        failingSyncs = failing;
    }

    /** Whether a sync has failed, or the process has ended in one, since the beginning: what is seen may then not be what is on the medium, for ever. */
    public boolean hasFailedSync() {
        return failedSyncs > 0 || syncLost;
    }

    /** Whether writes that need room fail. */
    public void full(boolean is) {
        full = is;
    }

    /** Syncs that have failed, of files or folders. */
    public long failedSyncs() {
        return failedSyncs;
    }

    public void readOnly(boolean is) {
        readOnly = is;
    }

    /** Whether every access fails, as of a network file system whose server is away. */
    public void vanished(boolean is) {
        vanished = is;
    }

    /** Power is back: what is on the medium is all there is; open files and locks are those of a process that is no more. */
    public void boot() {
        boots++;
        dead = false;
        powerLossAt = Long.MAX_VALUE;
        locks.clear();
        // In an order, else a seed replays nothing: chance is asked for each file.
        fresh.stream()
                .filter(_ -> random.nextBoolean())
                .forEach(lost -> folders.keySet().removeIf(path -> path.startsWith(lost)));
        fresh.clear();
        Set<SimFile> files = new LinkedHashSet<>();
        for (Folder folder : folders.values()) {
            int kept = random.nextInt(folder.changes.size() + 1);
            folder.changes.subList(0, kept).forEach(change -> change.apply(folder.durable));
            folder.changes.clear();
            folder.names.clear();
            folder.names.putAll(folder.durable);
            files.addAll(folder.names.values());
        }
        files.forEach(file -> file.losePower(random));
    }

    /**
     * The disk as a machine could find it whose power is lost at this moment; this one is not touched by it.
     *
     * @param chance decides what an unsynced write comes to
     */
    public SimDisk asAfterPowerLoss(RandomGenerator chance) {
        SimDisk copy = new SimDisk(chance);
        copy.failedSyncs = failedSyncs;
        copy.syncLost = syncLost;
        IdentityHashMap<SimFile, SimFile> files = new IdentityHashMap<>();
        folders.forEach((path, folder) -> {
            Folder other = new Folder();
            folder.names.forEach((name, file) -> other.names.put(name, copyOf(file, files)));
            folder.durable.forEach((name, file) -> other.durable.put(name, copyOf(file, files)));
            for (Change change : folder.changes) {
                SimFile file = change.file();
                other.changes.add(new Change(change.from(), change.name(), file == null ? null : copyOf(file, files)));
            }
            copy.folders.put(path, other);
        });
        copy.fresh.addAll(fresh);
        copy.boot();
        return copy;
    }

    private static SimFile copyOf(SimFile file, IdentityHashMap<SimFile, SimFile> copies) {
        return copies.computeIfAbsent(file, SimFile::copy);
    }

    /** The process was killed, the machine goes on: what was written is there, open files and locks are not. */
    public void killProcess() {
        boots++;
        dead = false;
        powerLossAt = Long.MAX_VALUE;
        locks.clear();
    }

    @Override
    public DiskFile openForReading(Path file) throws DiskException {
        read(file);
        SimFile found = folder(file).names.get(name(file));
        if (found == null) {
            throw new DiskException(DiskException.Kind.MISSING, "cannot open " + file + ": it does not exist");
        }
        return new SimHandle(this, found, file, boots);
    }

    @Override
    public DiskFile openForWriting(Path file) throws DiskException {
        Folder folder = folder(file);
        SimFile found = folder.names.get(name(file));
        if (found == null) {
            write(file);
            found = new SimFile();
            change(folder, new Change(null, name(file), found));
        } else {
            write(file);
        }
        return new SimHandle(this, found, file, boots);
    }

    @Override
    public void rename(Path from, Path to) throws DiskException {
        write(from);
        Folder folder = folder(from);
        SimFile file = folder.names.get(name(from));
        if (file == null || folder != folder(to)) {
            throw new DiskException(DiskException.Kind.MISSING, "cannot rename " + from + " to " + to);
        }
        change(folder, new Change(name(from), name(to), file));
    }

    @Override
    public void syncFolder(Path folder) throws DiskException {
        read(folder);
        Folder synced = contents(folder);
        Path above = folder.toAbsolutePath();
        if (takeFailingSync()) {
            fresh.removeIf(path -> above.equals(path.getParent()) && random.nextBoolean());
            int kept = random.nextInt(synced.changes.size() + 1);
            synced.changes.subList(0, kept).forEach(change -> change.apply(synced.durable));
            synced.changes.subList(0, kept).clear();
            throw new DiskException(DiskException.Kind.SYNC, "cannot make the names in " + folder + " durable");
        }
        fresh.removeIf(path -> above.equals(path.getParent()));
        synced.durable.clear();
        synced.durable.putAll(synced.names);
        synced.changes.clear();
    }

    @Override
    public void createFolder(Path folder) throws DiskException {
        write(folder);
        for (Path at = folder.toAbsolutePath(); at != null; at = at.getParent()) {
            if (folders.putIfAbsent(at, new Folder()) == null && at.getParent() != null) {
                fresh.add(at);
            }
        }
    }

    @Override
    public List<String> list(Path folder) throws DiskException {
        read(folder);
        List<String> names = new ArrayList<>(contents(folder).names.keySet());
        for (Path other : folders.keySet()) {
            if (folder.toAbsolutePath().equals(other.getParent())) {
                names.add(name(other));
            }
        }
        return names.stream().sorted().toList();
    }

    @Override
    public boolean exists(Path path) {
        if (isFolder(path)) {
            return true;
        }
        Folder folder = folders.get(path.toAbsolutePath().getParent());
        return folder != null && folder.names.containsKey(name(path));
    }

    @Override
    public boolean isFolder(Path path) {
        return folders.containsKey(path.toAbsolutePath());
    }

    /** A folder is deleted durably at once. */
    @Override
    public void delete(Path path) throws DiskException {
        write(path);
        if (isFolder(path)) {
            folders.remove(path.toAbsolutePath());
            fresh.remove(path.toAbsolutePath());
        } else if (folder(path).names.containsKey(name(path))) {
            change(folder(path), new Change(null, name(path), null));
        }
    }

    @Override
    public DiskLock lock(Path file) throws DiskException {
        write(file);
        Path key = file.toAbsolutePath();
        if (!locks.add(key)) {
            throw new DiskException(DiskException.Kind.LOCKED, "somebody holds " + file);
        }
        int born = boots;
        return () -> {
            if (born == boots) {
                locks.remove(key);
            }
        };
    }

    private static void change(Folder folder, Change change) {
        change.apply(folder.names);
        folder.changes.add(change);
    }

    private Folder folder(Path file) throws DiskException {
        Path above = file.toAbsolutePath().getParent();
        return contents(above == null ? file : above);
    }

    private Folder contents(Path folder) throws DiskException {
        Folder found = folders.get(folder.toAbsolutePath());
        if (found == null) {
            throw new DiskException(DiskException.Kind.MISSING, "there is no folder " + folder);
        }
        return found;
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    /** Before an operation that changes something. */
    void write(Path path) throws DiskException {
        read(path);
        if (readOnly) {
            throw new DiskException(DiskException.Kind.READ_ONLY, "cannot change " + path + ": read-only file system");
        }
    }

    /** Before any operation. */
    void read(Path path) throws DiskException {
        if (dead || operations++ >= powerLossAt) {
            dead = true;
            throw new PowerLoss();
        }
        if (vanished) {
            throw new DiskException(DiskException.Kind.BROKEN, "cannot reach " + path + ": input/output error");
        }
    }

    /** Whether the next {@link #write} will not come back. */
    boolean dying() {
        return !dead && operations >= powerLossAt;
    }

    void syncLost() {
        syncLost = true;
    }

    boolean isFull() {
        return full;
    }

    boolean takeFailingSync() {
        if (failingSyncs == 0) {
            return false;
        }
        if (goodSyncs > 0) {
            goodSyncs--;
            return false;
        }
        failingSyncs--;
        failedSyncs++;
        return true;
    }

    RandomGenerator random() {
        return random;
    }

    boolean isCurrent(int born) {
        return born == boots;
    }

    /** A file's present bytes, as readers see them; for tests that look behind the store's back. Null if there is no such file. */
    public byte @Nullable [] peek(Path file) {
        Folder folder = folders.get(file.toAbsolutePath().getParent());
        SimFile found = folder == null ? null : folder.names.get(name(file));
        return found == null ? null : found.bytes();
    }

    /** Flips the bits of {@code mask} in a byte of the medium. */
    public void damage(Path file, long position, int mask) {
        Folder folder = folders.get(file.toAbsolutePath().getParent());
        SimFile found = folder == null ? null : folder.names.get(name(file));
        if (found == null) {
            throw new IllegalArgumentException("there is no file " + file);
        }
        found.damage(position, mask);
    }
}
