// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonNull;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;

/** What a command's argument may be. */
public enum ArgumentType {
    STRING("a string"),
    INT("an int"),
    NUMBER("a number"),
    BOOLEAN("a boolean"),
    OBJECT("an object"),
    ARRAY("an array"),
    STRING_OR_NULL("a string or null"),
    ANY("any value");

    private final String words;

    ArgumentType(String words) {
        this.words = words;
    }

    /** With its article, for a sentence. */
    public String words() {
        return words;
    }

    /** Whether the value is of this type. An int is a number, too. */
    public boolean takes(Json value) {
        return switch (this) {
            case STRING -> value instanceof JsonString;
            case INT -> value instanceof JsonNumber number && number.isInt();
            case NUMBER -> value instanceof JsonNumber;
            case BOOLEAN -> value instanceof JsonBool;
            case OBJECT -> value instanceof JsonObject;
            case ARRAY -> value instanceof JsonArray;
            case STRING_OR_NULL -> value instanceof JsonString || value instanceof JsonNull;
            case ANY -> true;
        };
    }
}
