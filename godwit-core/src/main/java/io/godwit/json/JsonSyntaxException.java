// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import org.jspecify.annotations.Nullable;

/** A text that is no JSON, or more of it than was allowed. */
public final class JsonSyntaxException extends Exception {
    private static final long serialVersionUID = 1;

    private final int offset;
    private final String reason;

    JsonSyntaxException(int offset, String reason) {
        this(offset, reason, null);
    }

    JsonSyntaxException(int offset, String reason, @Nullable Throwable cause) {
        super("at byte " + offset + ": " + reason, cause);
        this.offset = offset;
        this.reason = reason;
    }

    /** Where it went wrong: bytes from the beginning of the text, from 0. */
    public int offset() {
        return offset;
    }

    /** What was wrong there, without the offset. */
    public String reason() {
        return reason;
    }
}
