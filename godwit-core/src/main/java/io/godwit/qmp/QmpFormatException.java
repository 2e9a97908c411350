// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import org.jspecify.annotations.Nullable;

/** JSON that is no QMP message; the message is a sentence that names what is wrong. */
public final class QmpFormatException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient @Nullable Json id;

    QmpFormatException(String message, @Nullable Json id) {
        super(message);
        this.id = id;
    }

    /** The id of the message, for the answer, if it had got one. */
    public @Nullable Json id() {
        return id;
    }
}
