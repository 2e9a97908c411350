// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/** True or false. */
public record JsonBool(boolean value) implements Json {
    public static final JsonBool TRUE = new JsonBool(true);
    public static final JsonBool FALSE = new JsonBool(false);

    @Override
    public String typeName() {
        return "boolean";
    }

    @Override
    public String toString() {
        return Boolean.toString(value);
    }
}
