// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The disk refused or failed. The message is a sentence without advice, which depends on what was being done: {@link StoreException} gives it. */
public final class DiskException extends IOException {
    private static final long serialVersionUID = 1;

    /** What an operator can do about it. */
    public enum Kind {
        /** No room, or a quota is used up. */
        FULL,
        READ_ONLY,
        /** There is no such file or folder. */
        MISSING,
        /** Another process, or this one, holds the lock. */
        LOCKED,
        /** No permission. */
        DENIED,
        /** A sync failed. */
        SYNC,
        /** Anything else: the medium, the controller, a network file system. */
        BROKEN
    }

    private final Kind kind;

    public DiskException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public DiskException(Kind kind, String message) {
        this(kind, message, null);
    }

    public Kind kind() {
        return kind;
    }
}
