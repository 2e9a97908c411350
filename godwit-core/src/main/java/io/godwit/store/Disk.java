// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;
import java.util.List;

/**
 * The file system as the store needs it, so that a simulated one, which loses power at any of these calls, can take its place. Positioned reads and writes
 * only: under a memory mapping a full disk kills the process.
 *
 * <p>Nothing is durable until it was synced: bytes and length of a file by {@link DiskFile#sync}, the names in a folder (created, renamed, deleted) by
 * {@link #syncFolder}. Every call may block. Safe for several threads; one file is used by several threads only where it says so.
 */
public interface Disk {
    /** Opens an existing file for reading. */
    DiskFile openForReading(Path file) throws DiskException;

    /** Opens a file for reading and writing, creating it empty if there is none. */
    DiskFile openForWriting(Path file) throws DiskException;

    /** Gives {@code from} the name {@code to}, in the same folder, replacing what had it: at any moment {@code to} is the old file or the new one. */
    void rename(Path from, Path to) throws DiskException;

    /** The folder's names are durable once this returns. */
    void syncFolder(Path folder) throws DiskException;

    /** Creates the folder and those above it that lack; one that is there is left alone. */
    void createFolder(Path folder) throws DiskException;

    /**
     * As {@link #createFolder}, and the names of those that were created are durable. A process that was killed in here may have left the last one that is there with a name that is not: that one's comes
     * first, but for a folder that this user may not read, which no such process has made.
     */
    default void createFolderDurably(Path folder) throws DiskException {
        if (isFolder(folder)) {
            return;
        }
        Path above = folder.getParent();
        if (above != null && !isFolder(above)) {
            createFolderDurably(above);
        } else if (above != null && above.getParent() != null && maySync(above.getParent())) {
            syncFolder(above.getParent());
        }
        createFolder(folder);
        if (above != null) {
            syncFolder(above);
        }
    }

    /** Whether this user has the right to {@link #syncFolder} this folder, which is the right to read it. */
    default boolean maySync(Path folder) {
        return isFolder(folder);
    }

    /** Names in the folder, sorted. */
    List<String> list(Path folder) throws DiskException;

    boolean exists(Path path);

    /** Whether it is a folder that exists. */
    boolean isFolder(Path path);

    /** Deletes a file or an empty folder; what is not there is none the worse for it. */
    void delete(Path path) throws DiskException;

    /**
     * Takes the exclusive lock of this file, creating it if need be, until the lock is closed or the process ends, however it ends.
     *
     * @throws DiskException of kind {@link DiskException.Kind#LOCKED} if a process, this one included, has it
     */
    DiskLock lock(Path file) throws DiskException;
}
