// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A JSON value (RFC 8259). Values are immutable, so any thread may use them, and equal if they say the same: the order of an object's
 * members is kept but does not count.
 */
public sealed interface Json permits JsonObject, JsonArray, JsonString, JsonNumber, JsonBool, JsonNull {

    /** The type in QMP's words: object, array, string, number, boolean, null; a number without fraction and exponent is an int. */
    String typeName();

    /** This value as text. */
    default String toText(JsonFormat format) {
        return JsonWriter.write(this, format);
    }

    /**
     * Parses exactly one value; white space may stand around it.
     *
     * @throws JsonSyntaxException if {@code text} is no JSON or breaks {@link JsonLimits#DEFAULT}; its offset counts bytes of UTF-8
     */
    static Json parse(String text) throws JsonSyntaxException {
        ByteBuffer utf8;
        try {
            utf8 = StandardCharsets.UTF_8
                    .newEncoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException e) {
            throw new JsonSyntaxException(0, "the text holds half of a surrogate pair", e);
        }
        byte[] bytes = new byte[utf8.remaining()];
        utf8.get(bytes);
        return parse(bytes, JsonLimits.DEFAULT);
    }

    /** As {@link #parse(byte[], int, int, JsonLimits)}, of the whole array. */
    static Json parse(byte[] utf8, JsonLimits limits) throws JsonSyntaxException {
        return parse(utf8, 0, utf8.length, limits);
    }

    /**
     * Parses exactly one value from {@code utf8[from..to)}; white space may stand around it. What it allocates is bounded by the length of
     * the input.
     *
     * @throws JsonSyntaxException if the bytes are no JSON, hold an object with the same member twice, or break a limit
     */
    static Json parse(byte[] utf8, int from, int to, JsonLimits limits) throws JsonSyntaxException {
        return JsonParser.parse(new JsonReader(utf8, from, to, limits));
    }

    static JsonString of(String value) {
        return new JsonString(value);
    }

    static JsonNumber of(long value) {
        return JsonNumber.of(value);
    }

    /** An integer without limit, for example a u64 above {@link Long#MAX_VALUE}. */
    static JsonNumber of(BigInteger value) {
        return new JsonNumber(value.toString());
    }

    /** A number that is written without fraction if it has none. */
    static JsonNumber of(double value) {
        return JsonNumber.of(value);
    }

    static JsonBool of(boolean value) {
        return value ? JsonBool.TRUE : JsonBool.FALSE;
    }

    static JsonArray array(Json... values) {
        return new JsonArray(List.of(values));
    }

    /** An object of no members. */
    static JsonObject object() {
        return JsonObject.EMPTY;
    }
}
