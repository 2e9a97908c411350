// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import org.jspecify.annotations.Nullable;

/** There is no connection (any more). A command that was under way may have been carried out, or may still be. */
public final class QmpDisconnected extends QmpException {
    private static final long serialVersionUID = 1;

    QmpDisconnected(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
