// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/** JSON's null. */
public record JsonNull() implements Json {
    public static final JsonNull NULL = new JsonNull();

    @Override
    public String typeName() {
        return "null";
    }

    @Override
    public String toString() {
        return "null";
    }
}
