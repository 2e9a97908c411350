// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import org.jspecify.annotations.Nullable;

/** Why a command has no answer of use: the peer refused it, was too slow, or is gone. The message is a sentence for people. */
public abstract sealed class QmpException extends Exception permits QmpError, QmpTimeout, QmpDisconnected {
    private static final long serialVersionUID = 1;

    QmpException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
