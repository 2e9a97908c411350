// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import io.godwit.json.JsonReader.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds values from the reader's tokens. Recursive: the reader bounds the depth. */
final class JsonParser {
    private JsonParser() {}

    static Json parse(JsonReader reader) throws JsonSyntaxException {
        Json value = value(reader, reader.next());
        reader.next(); // END, or the reader throws
        return value;
    }

    private static Json value(JsonReader reader, Token token) throws JsonSyntaxException {
        return switch (token) {
            case BEGIN_OBJECT -> object(reader);
            case BEGIN_ARRAY -> array(reader);
            case STRING -> new JsonString(reader.text());
            case NUMBER -> new JsonNumber(reader.text());
            case TRUE -> JsonBool.TRUE;
            case FALSE -> JsonBool.FALSE;
            case NULL -> JsonNull.NULL;
            case NAME, END_OBJECT, END_ARRAY, END ->
                throw new IllegalStateException("the reader gave " + token + " where a value begins");
        };
    }

    private static JsonObject object(JsonReader reader) throws JsonSyntaxException {
        Map<String, Json> members = new LinkedHashMap<>();
        while (reader.next() == Token.NAME) {
            String name = reader.text();
            int at = reader.offset();
            if (members.put(name, value(reader, reader.next())) != null) {
                throw new JsonSyntaxException(at, "the object has a member '" + JsonReader.shown(name) + "' already");
            }
        }
        return new JsonObject(members);
    }

    private static JsonArray array(JsonReader reader) throws JsonSyntaxException {
        List<Json> values = new ArrayList<>();
        for (Token token = reader.next(); token != Token.END_ARRAY; token = reader.next()) {
            values.add(value(reader, token));
        }
        return new JsonArray(values);
    }
}
