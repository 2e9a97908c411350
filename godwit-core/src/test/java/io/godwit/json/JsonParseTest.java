// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonParseTest {
    private static JsonSyntaxException refused(String text) {
        return catchThrowableOfType(JsonSyntaxException.class, () -> Json.parse(text));
    }

    private static JsonSyntaxException refused(byte[] bytes, JsonLimits limits) {
        return catchThrowableOfType(JsonSyntaxException.class, () -> Json.parse(bytes, limits));
    }

    private static byte[] hex(String hex) {
        return java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    @Test
    void readsEveryKindOfValue() throws Exception {
        Json json = Json.parse(" {\"a\": [1, -2.5e3, \"x\", true, false, null, {}, []]}\r\n");

        assertThat(json)
                .isEqualTo(JsonObject.builder()
                        .put(
                                "a",
                                new JsonArray(List.of(
                                        Json.of(1),
                                        new JsonNumber("-2.5e3"),
                                        Json.of("x"),
                                        JsonBool.TRUE,
                                        JsonBool.FALSE,
                                        JsonNull.NULL,
                                        Json.object(),
                                        Json.array())))
                        .build());
    }

    @Test
    void keepsTheOrderOfMembersButDoesNotCountIt() throws Exception {
        JsonObject one = (JsonObject) Json.parse("{\"z\":1,\"a\":2,\"m\":3}");

        assertThat(one.names()).containsExactly("z", "a", "m");
        assertThat(one).isEqualTo(Json.parse("{\"a\":2,\"m\":3,\"z\":1}"));
    }

    @Test
    void keepsTheLargestUnsigned64() throws Exception {
        JsonNumber number = (JsonNumber) Json.parse("18446744073709551615");

        assertThat(number.toText(JsonFormat.COMPACT)).isEqualTo("18446744073709551615");
        assertThat(Long.toUnsignedString(number.uint64())).isEqualTo("18446744073709551615");
        assertThat(number.fitsInt64()).isFalse();
        assertThatThrownBy(number::int64).hasMessageContaining("18446744073709551615");
    }

    @ParameterizedTest
    @CsvSource({
        "0, true, true",
        "-1, true, false",
        "9223372036854775807, true, true",
        "9223372036854775808, false, true",
        "-9223372036854775808, true, false",
        "-9223372036854775809, false, false",
        "18446744073709551616, false, false",
        "1.0, false, false",
        "1e3, false, false"
    })
    void saysWhichIntegersFit(String literal, boolean signed, boolean unsigned) throws Exception {
        JsonNumber number = (JsonNumber) Json.parse(literal);

        assertThat(number.fitsInt64()).isEqualTo(signed);
        assertThat(number.fitsUint64()).isEqualTo(unsigned);
    }

    @Test
    void resolvesEscapesAndPairs() throws Exception {
        assertThat(Json.parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDC26\\u0000\""))
                .isEqualTo(Json.of("\"\\/\b\f\n\r\té\uD83D\uDC26\0"));
    }

    @Test
    void readsUtf8OfEveryLength() throws Exception {
        String text = "a\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\ud800\udc00\udbff\udfff";

        assertThat(Json.parse("\"" + text + "\"")).isEqualTo(Json.of(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "22 80 22", // a continuation byte alone
                "22 c0 80 22", // an overlong zero
                "22 c1 bf 22",
                "22 e0 80 80 22",
                "22 f0 8f bf bf 22",
                "22 ed a0 80 22", // a surrogate
                "22 f4 90 80 80 22", // above U+10FFFF
                "22 f5 80 80 80 22",
                "22 ff 22",
                "22 c3 22", // cut
                "22 c3"
            })
    void refusesBadUtf8(String bytes) {
        assertThat(refused(hex(bytes), JsonLimits.DEFAULT))
                .hasMessageContaining("UTF-8")
                .returns(1, JsonSyntaxException::offset);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "` `                |  1 | the end of the text",
                "`{`                |  1 | the end of the text",
                "`{\"a\"`           |  4 | expected ':'",
                "`{\"a\":}`         |  5 | expected a value, got '}'",
                "`{\"a\":1,}`       |  7 | a member's name",
                "`{a:1}`            |  1 | in quotes, got 'a'",
                "`{'a':1}`          |  1 | in quotes",
                "`{\"a\":1 \"b\"}`  |  7 | expected ',' or '}'",
                "`[1,]`             |  3 | expected a value",
                "`[1}`              |  2 | expected ',' or ']'",
                "`[1] 2`            |  4 | nothing after the value",
                "`nul`              |  0 | got 'nul'",
                "`NaN`              |  0 | got 'N'",
                "`01`               |  1 | superfluous 0",
                "`-`                |  1 | a digit",
                "`1.`               |  2 | a digit",
                "`.5`               |  0 | a value",
                "`+1`               |  0 | a value",
                "`1e`               |  2 | a digit",
                "`\"abc`            |  4 | inside of a string",
                "`\"\\`             |  2 | inside of a string",
                "`\"\\x\"`          |  3 | needs none",
                "`\"\\'\"`          |  3 | needs none",
                "`\"\\u12g4\"`      |  6 | four hexadecimal",
                "`\"\\ud800\"`      |  8 | half of a surrogate",
                "`\"\\udc00x\"`     |  7 | half of a surrogate",
                "`\"\\ud800\\ud800\"` | 13 | half of a surrogate",
                "`{\"a\":1,\"a\":2}` |  7 | 'a' already",
            })
    void refusesWithOffsetAndReason(String text, int offset, String reason) {
        assertThat(refused(text)).hasMessageContaining(reason).hasMessageContaining("at byte " + offset + ":");
        assertThat(refused(text).offset()).isEqualTo(offset);
    }

    @Test
    void refusesControlCharactersInStrings() {
        assertThat(refused("\"a\nb\"")).hasMessageContaining("0x0a").hasMessageContaining("at byte 2");
    }

    @Test
    void refusesHalfAPairInTheTextItself() {
        assertThat(refused("\"\ud83d\"")).hasMessageContaining("surrogate");
    }

    @Test
    void boundsDepthStringsNumbersAndLength() throws Exception {
        JsonLimits limits = new JsonLimits(100, 3, 10, false);

        assertThat(Json.parse("[[[1]]]".getBytes(StandardCharsets.US_ASCII), limits))
                .isInstanceOf(JsonArray.class);
        assertThat(refused("[[[[1]]]]".getBytes(StandardCharsets.US_ASCII), limits))
                .hasMessageContaining("at byte 3: objects and arrays stand more than 3 deep");
        assertThat(refused("[\"0123456789\"]".getBytes(StandardCharsets.US_ASCII), limits))
                .hasMessageContaining("at byte 1: a string has more than 10 bytes");
        assertThat(refused(new byte[101], limits)).hasMessageContaining("the text has 101 bytes, the limit is 100");
        assertThat(refused("1".repeat(257))).hasMessageContaining("more than 256 characters");
    }

    @Test
    void standsATextAsDeepAsAllowed() throws Exception {
        int depth = JsonLimits.DEFAULT.maxDepth();

        assertThat(Json.parse("[".repeat(depth) + "]".repeat(depth)).toText(JsonFormat.COMPACT))
                .hasSize(2 * depth);
        assertThat(refused("[".repeat(1_000_000))).hasMessageContaining("1024 deep");
    }

    @Test
    void takesSingleQuotesOnlyWhereAllowed() throws Exception {
        byte[] text = "{'execute': 'it\\'s \"so\"'}".getBytes(StandardCharsets.US_ASCII);

        assertThat(refused(text, JsonLimits.DEFAULT)).hasMessageContaining("got '''");
        assertThat(Json.parse(text, new JsonLimits(100, 3, 100, true)))
                .isEqualTo(JsonObject.builder().put("execute", "it's \"so\"").build());
    }

    @Test
    void countsOffsetsFromTheBeginningOfTheSlice() {
        byte[] text = "xxx[1,]xxx".getBytes(StandardCharsets.US_ASCII);
        JsonSyntaxException wrong =
                catchThrowableOfType(JsonSyntaxException.class, () -> Json.parse(text, 3, 7, JsonLimits.DEFAULT));

        assertThat(wrong.offset()).isEqualTo(3);
    }

    @Test
    void givesTokensOneByOne() throws Exception {
        byte[] text = "{\"a\":[1]}".getBytes(StandardCharsets.US_ASCII);
        JsonReader reader = new JsonReader(text, 0, text.length, JsonLimits.DEFAULT);

        assertThat(reader.next()).isEqualTo(JsonReader.Token.BEGIN_OBJECT);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.NAME);
        assertThat(reader.text()).isEqualTo("a");
        assertThat(reader.next()).isEqualTo(JsonReader.Token.BEGIN_ARRAY);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.NUMBER);
        assertThat(reader.text()).isEqualTo("1");
        assertThat(reader.offset()).isEqualTo(6);
        assertThat(reader.depth()).isEqualTo(2);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.END_ARRAY);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.END_OBJECT);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.END);
        assertThat(reader.next()).isEqualTo(JsonReader.Token.END);
    }
}
