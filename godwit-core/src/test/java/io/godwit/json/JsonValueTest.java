// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class JsonValueTest {
    private static JsonObject object(String text) throws JsonSyntaxException {
        return (JsonObject) Json.parse(text);
    }

    @Test
    void gettersNameTheMemberAndBothTypes() throws Exception {
        JsonObject json = object("{\"x\":\"1\",\"n\":null,\"f\":1.5,\"big\":9223372036854775808,\"neg\":-1}");

        assertThatThrownBy(() -> json.int64("x")).hasMessage("member 'x' must be an int, got string");
        assertThatThrownBy(() -> json.int64("f")).hasMessage("member 'f' must be an int, got number");
        assertThatThrownBy(() -> json.string("n")).hasMessage("member 'n' must be a string, got null");
        assertThatThrownBy(() -> json.bool("x")).hasMessage("member 'x' must be a boolean, got string");
        assertThatThrownBy(() -> json.object("x")).hasMessage("member 'x' must be an object, got string");
        assertThatThrownBy(() -> json.array("x")).hasMessage("member 'x' must be an array, got string");
        assertThatThrownBy(() -> json.number("x")).hasMessage("member 'x' must be a number, got string");
        assertThatThrownBy(() -> json.string("y")).hasMessage("member 'y' is missing");
        assertThatThrownBy(() -> json.int64("big"))
                .hasMessage("member 'big' must lie between -2^63 and 2^63-1, got 9223372036854775808");
        assertThatThrownBy(() -> json.uint64("neg")).hasMessage("member 'neg' must lie between 0 and 2^64-1, got -1");
    }

    @Test
    void gettersGiveWhatIsThere() throws Exception {
        JsonObject json = object("{\"s\":\"v\",\"i\":-5,\"b\":true,\"d\":2.5,\"u\":18446744073709551615,"
                + "\"o\":{\"k\":1},\"a\":[\"z\",{}]}");

        assertThat(json.string("s")).isEqualTo("v");
        assertThat(json.int64("i")).isEqualTo(-5);
        assertThat(json.bool("b")).isTrue();
        assertThat(json.number("d")).isEqualTo(2.5);
        assertThat(json.uint64("u")).isEqualTo(-1);
        assertThat(json.object("o").int64("k")).isEqualTo(1);
        assertThat(json.array("a").string(0)).isEqualTo("z");
        assertThatThrownBy(() -> json.array("a").object(0)).hasMessage("element 0 must be an object, got string");
        assertThatThrownBy(() -> json.array("a").string(1)).hasMessage("element 1 must be a string, got object");
        assertThat(json.bool("none", true)).isTrue();
        assertThatThrownBy(() -> json.bool("s", true)).hasMessageContaining("'s'");
    }

    @Test
    void writesInThreeForms() throws Exception {
        JsonObject json = object("{\"a\":[1,{\"b\":\"é\\u0007\\\"\"}],\"c\":{},\"d\":[]}");

        assertThat(json.toText(JsonFormat.COMPACT)).isEqualTo("{\"a\":[1,{\"b\":\"é\\u0007\\\"\"}],\"c\":{},\"d\":[]}");
        assertThat(json.toText(JsonFormat.QEMU))
                .isEqualTo("{\"a\": [1, {\"b\": \"\\u00e9\\u0007\\\"\"}], \"c\": {}, \"d\": []}");
        assertThat(json.toText(JsonFormat.PRETTY)).isEqualTo("""
                {
                    "a": [
                        1,
                        {
                            "b": "é\\u0007\\""
                        }
                    ],
                    "c": {},
                    "d": []
                }""");
    }

    @Test
    void writesHalfAPairAsTheReplacementCharacter() throws Exception {
        assertThat(Json.of("a\ud83d").toText(JsonFormat.COMPACT)).isEqualTo("\"a\ufffd\"");
        assertThat(Json.of("\udc26b").toText(JsonFormat.QEMU)).isEqualTo("\"\\ufffdb\"");
        assertThat(Json.parse(Json.of("\ud83d\udc26").toText(JsonFormat.QEMU))).isEqualTo(Json.of("\ud83d\udc26"));
    }

    @Test
    void numbersAreWrittenShort() {
        assertThat(Json.of(3.0).literal()).isEqualTo("3");
        assertThat(Json.of(73.54512).literal()).isEqualTo("73.54512");
        assertThat(Double.parseDouble(Json.of(1e300).literal())).isEqualTo(1e300);
        assertThat(Json.of(new BigInteger("18446744073709551615")).uint64()).isEqualTo(-1);
        assertThatThrownBy(() -> Json.of(Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new JsonNumber("0x10")).hasMessageContaining("0x10");
    }

    @Test
    void aBuilderTakesNoMemberTwice() {
        assertThatThrownBy(() -> JsonObject.builder().put("a", 1).put("a", 2)).hasMessageContaining("'a'");
    }

    @Test
    void whatIsWrittenIsReadAgain() throws Exception {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2000; i++) {
            Json json = value(random, 4);
            for (JsonFormat format : JsonFormat.values()) {
                assertThat(Json.parse(json.toText(format)))
                        .as("-Dgodwit.seed=%d, %s", seed, format)
                        .isEqualTo(json);
            }
        }
    }

    @Test
    void damagedTextIsNeverWorseThanASentence() throws Exception {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 5000; i++) {
            byte[] text = value(random, 4).toText(JsonFormat.QEMU).getBytes(StandardCharsets.UTF_8);
            for (int n = random.nextInt(4); n >= 0; n--) {
                text[random.nextInt(text.length)] = (byte) random.nextInt(256);
            }
            try {
                Json.parse(text, JsonLimits.DEFAULT);
            } catch (JsonSyntaxException e) {
                assertThat(e.offset()).as("-Dgodwit.seed=%d", seed).isBetween(0, text.length);
            }
        }
    }

    private static Json value(SplittableRandom random, int depth) {
        return switch (random.nextInt(depth == 0 ? 5 : 7)) {
            case 0 -> Json.of(random.nextLong());
            case 1 -> Json.of(random.nextDouble() * 1e6);
            case 2 -> Json.of(text(random));
            case 3 -> Json.of(random.nextBoolean());
            case 4 -> JsonNull.NULL;
            case 5 -> {
                List<Json> values = new ArrayList<>();
                for (int n = random.nextInt(5); n > 0; n--) {
                    values.add(value(random, depth - 1));
                }
                yield new JsonArray(values);
            }
            default -> {
                JsonObject.Builder object = JsonObject.builder();
                for (int n = random.nextInt(5); n > 0; n--) {
                    object.put(n + text(random), value(random, depth - 1));
                }
                yield object.build();
            }
        };
    }

    private static String text(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(12); n > 0; n--) {
            int bound = random.nextInt(3) == 0 ? Character.MAX_CODE_POINT + 1 : 0x100;
            int point = random.nextInt(bound);
            text.appendCodePoint(point >= 0xd800 && point < 0xe000 ? 'x' : point);
        }
        return text.toString();
    }
}
