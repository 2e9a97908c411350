// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import org.jspecify.annotations.Nullable;

/** The scenario did not go as it must; the message says what was awaited and what is. */
final class DemoFailed extends Exception {
    private static final long serialVersionUID = 1;

    DemoFailed(String message) {
        super(message);
    }

    DemoFailed(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
