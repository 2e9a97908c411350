// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import org.jspecify.annotations.Nullable;

/**
 * The storage behind a guest's memory refused or failed: the disk is full, a page on it is damaged. The message is a sentence for the operator. No defect of ours and no
 * fault of a peer: before the commit point the migration fails with it, past it the migration pauses.
 */
public class StorageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public StorageException(String message) {
        super(message);
    }

    public StorageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
