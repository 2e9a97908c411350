// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.pump.StorageException;
import org.jspecify.annotations.Nullable;

/**
 * The store could not do it. The message says what, where and what to do. Unchecked, because it comes through {@link io.godwit.pump.PageSink} and {@link
 * io.godwit.pump.PageSource}, too, on the migration's loop. The store itself is consistent afterwards: what {@link #kind} means for the migration stands there.
 */
public sealed class StoreException extends StorageException permits DamagedPageException {
    private static final long serialVersionUID = 1;

    /** What it means for whoever called. */
    public enum Kind {
        /** The disk is full. Precopy: the migration fails. Postcopy: pause; once there is room, the same call again or a recovery goes on. Nothing is lost. */
        FULL,
        /** The file system is read-only, vanished or not permitted. As {@link #FULL}. */
        UNUSABLE,
        /** The disk failed to read or write. As {@link #FULL}. */
        BROKEN,
        /**
         * A sync failed: what was received since the last checkpoint counts as lost. Pause; call {@link VmStore#rollBack}, after which the received bitmaps have
         * shrunk to what is durable; then a recovery goes on. Until then every page is refused.
         */
        SYNC_FAILED,
        /** Another process has this VM. */
        LOCKED,
        /** What is on the disk is not what the store wrote, or of a newer format. */
        CORRUPT,
        /** The VM's state does not allow it; nothing was changed. */
        REFUSED,
        /** There is no VM in that folder. */
        MISSING
    }

    private final Kind kind;

    public StoreException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public StoreException(Kind kind, String message) {
        this(kind, message, null);
    }

    public Kind kind() {
        return kind;
    }
}
