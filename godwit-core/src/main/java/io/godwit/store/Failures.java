// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;

/** What the disk said, or what is not on it, with what it means and what to do. */
final class Failures {
    private Failures() {}

    /** A folder in which no VM is. */
    static StoreException missing(Path folder) {
        return new StoreException(
                StoreException.Kind.MISSING,
                "there is no parked VM in " + folder + "; 'godwit store list' shows which there are");
    }

    static StoreException of(DiskException e) {
        return switch (e.kind()) {
            case FULL ->
                new StoreException(
                        StoreException.Kind.FULL, e.getMessage() + "; free space on that file system and try again", e);
            case READ_ONLY ->
                new StoreException(
                        StoreException.Kind.UNUSABLE,
                        e.getMessage() + "; the file system is read-only: remount it writable and try again",
                        e);
            case MISSING ->
                new StoreException(
                        StoreException.Kind.UNUSABLE,
                        e.getMessage() + "; see whether the file system is mounted and the folder is whole",
                        e);
            case DENIED ->
                new StoreException(
                        StoreException.Kind.UNUSABLE,
                        e.getMessage() + "; give this user the right to it, or run as its owner",
                        e);
            case LOCKED ->
                new StoreException(
                        StoreException.Kind.LOCKED,
                        e.getMessage() + "; one process at a time may use a VM's folder",
                        e);
            case SYNC ->
                new StoreException(
                        StoreException.Kind.SYNC_FAILED,
                        e.getMessage()
                                + "; what was received since the last checkpoint counts as lost: see to the disk,"
                                + " then recover the migration",
                        e);
            case BROKEN ->
                new StoreException(
                        StoreException.Kind.BROKEN,
                        e.getMessage() + "; see to the disk (the kernel's log says more)",
                        e);
        };
    }

    /** As {@link #of}, where a failed sync loses no page: the same call may simply be made again. */
    static StoreException again(DiskException e) {
        return e.kind() == DiskException.Kind.SYNC
                ? new StoreException(
                        StoreException.Kind.BROKEN, e.getMessage() + "; see to the disk, then try again", e)
                : of(e);
    }

    /** A sync of pages, or of what is said of them, failed in whatever way. */
    static StoreException lost(DiskException e) {
        return e.kind() == DiskException.Kind.SYNC
                ? of(e)
                : of(new DiskException(DiskException.Kind.SYNC, String.valueOf(e.getMessage()), e));
    }
}
