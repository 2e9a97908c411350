// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/**
 * A string.
 *
 * @param value Unicode text; half a surrogate pair in it is written as U+FFFD, and never comes out of the parser
 */
public record JsonString(String value) implements Json {
    @Override
    public String typeName() {
        return "string";
    }

    @Override
    public String toString() {
        return toText(JsonFormat.COMPACT);
    }
}
