// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import org.jspecify.annotations.Nullable;

/** The scenario did not go as it must; the message says what was awaited and what is. */
public final class LabFailed extends Exception {
    private static final long serialVersionUID = 1;

    public LabFailed(String message) {
        super(message);
    }

    public LabFailed(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
