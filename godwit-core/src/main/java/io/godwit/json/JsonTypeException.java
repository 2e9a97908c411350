// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/** A value is absent or of another type than its reader needs; the message is a sentence that names it. */
public final class JsonTypeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public JsonTypeException(String message) {
        super(message);
    }
}
