// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.util.Iterator;
import java.util.List;

/** Values in order. */
public record JsonArray(List<Json> values) implements Json, Iterable<Json> {
    public JsonArray {
        values = List.copyOf(values);
    }

    @Override
    public String typeName() {
        return "array";
    }

    public int size() {
        return values.size();
    }

    public Json get(int index) {
        return values.get(index);
    }

    /** The value at {@code index} as an object; a {@link JsonTypeException} if it is none. */
    public JsonObject object(int index) {
        if (values.get(index) instanceof JsonObject object) {
            return object;
        }
        throw wrong(index, "an object");
    }

    /** The value at {@code index} as a string; a {@link JsonTypeException} if it is none. */
    public String string(int index) {
        if (values.get(index) instanceof JsonString string) {
            return string.value();
        }
        throw wrong(index, "a string");
    }

    @Override
    public Iterator<Json> iterator() {
        return values.iterator();
    }

    private JsonTypeException wrong(int index, String wanted) {
        return new JsonTypeException("element " + index + " must be " + wanted + ", got "
                + values.get(index).typeName());
    }

    @Override
    public String toString() {
        return toText(JsonFormat.COMPACT);
    }
}
