// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Members by name, in the order in which they came or were put.
 *
 * <p>The typed getters throw a {@link JsonTypeException} with a sentence that names the member if it is absent or of another type. Those that
 * take a fallback give it when the member is absent; a member of another type is an error there, too.
 */
public record JsonObject(Map<String, Json> members) implements Json {
    static final JsonObject EMPTY = new JsonObject(Map.of());

    public JsonObject {
        members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public String typeName() {
        return "object";
    }

    public Set<String> names() {
        return members.keySet();
    }

    public int size() {
        return members.size();
    }

    public boolean has(String name) {
        return members.containsKey(name);
    }

    /** The member of that name, or null; a member that is JSON's null is a {@link JsonNull}. */
    public @Nullable Json get(String name) {
        return members.get(name);
    }

    /** The member of that name. */
    public Json require(String name) {
        Json value = members.get(name);
        if (value == null) {
            throw new JsonTypeException("member '" + name + "' is missing");
        }
        return value;
    }

    public String string(String name) {
        if (require(name) instanceof JsonString string) {
            return string.value();
        }
        throw wrong(name, "a string");
    }

    public String string(String name, String fallback) {
        return has(name) ? string(name) : fallback;
    }

    public boolean bool(String name) {
        if (require(name) instanceof JsonBool bool) {
            return bool.value();
        }
        throw wrong(name, "a boolean");
    }

    public boolean bool(String name, boolean fallback) {
        return has(name) ? bool(name) : fallback;
    }

    /** A whole number from -2^63 to 2^63-1. */
    public long int64(String name) {
        if (!(require(name) instanceof JsonNumber number) || !number.isInt()) {
            throw wrong(name, "an int");
        }
        if (!number.fitsInt64()) {
            throw tooLarge(name, number, "-2^63 and 2^63-1");
        }
        return number.int64();
    }

    public long int64(String name, long fallback) {
        return has(name) ? int64(name) : fallback;
    }

    /** A whole number from 0 to 2^64-1, as the 64 bits of a long: compare and print it with {@link Long}'s unsigned methods. */
    public long uint64(String name) {
        if (!(require(name) instanceof JsonNumber number) || !number.isInt()) {
            throw wrong(name, "an int");
        }
        if (!number.fitsUint64()) {
            throw tooLarge(name, number, "0 and 2^64-1");
        }
        return number.uint64();
    }

    /** A number of any kind, rounded to a double. */
    public double number(String name) {
        if (require(name) instanceof JsonNumber number) {
            return number.doubleValue();
        }
        throw wrong(name, "a number");
    }

    public JsonObject object(String name) {
        if (require(name) instanceof JsonObject object) {
            return object;
        }
        throw wrong(name, "an object");
    }

    public JsonArray array(String name) {
        if (require(name) instanceof JsonArray array) {
            return array;
        }
        throw wrong(name, "an array");
    }

    private JsonTypeException wrong(String name, String wanted) {
        return new JsonTypeException("member '" + name + "' must be " + wanted + ", got "
                + require(name).typeName());
    }

    private static JsonTypeException tooLarge(String name, JsonNumber number, String range) {
        return new JsonTypeException("member '" + name + "' must lie between " + range + ", got " + number.literal());
    }

    @Override
    public String toString() {
        return toText(JsonFormat.COMPACT);
    }

    /** Collects members; for one thread. */
    public static final class Builder {
        private final Map<String, Json> members = new LinkedHashMap<>();

        private Builder() {}

        /** Adds a member. One of the same name must not be there. */
        public Builder put(String name, Json value) {
            if (members.putIfAbsent(name, value) != null) {
                throw new IllegalArgumentException("the object has a member '" + name + "' already");
            }
            return this;
        }

        public Builder put(String name, String value) {
            return put(name, Json.of(value));
        }

        public Builder put(String name, long value) {
            return put(name, Json.of(value));
        }

        public Builder put(String name, double value) {
            return put(name, Json.of(value));
        }

        public Builder put(String name, boolean value) {
            return put(name, Json.of(value));
        }

        /** Adds the member if {@code value} is not null. */
        public Builder putIfPresent(String name, @Nullable Json value) {
            return value == null ? this : put(name, value);
        }

        /** Adds all members of {@code object}. */
        public Builder putAll(JsonObject object) {
            object.members().forEach(this::put);
            return this;
        }

        public JsonObject build() {
            return new JsonObject(members);
        }
    }
}
