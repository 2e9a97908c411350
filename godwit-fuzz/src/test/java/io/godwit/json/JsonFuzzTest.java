// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import org.jspecify.annotations.Nullable;

/** Text of a stranger. The first byte of an input is whether single quotes are taken. */
class JsonFuzzTest {
    @FuzzTest
    void json(byte[] input) {
        byte[] text = Pieces.rest(input, 1);
        JsonLimits limits = new JsonLimits(64 << 20, 1024, 16 << 20, (Pieces.control(input, 0) & 1) != 0);
        Budget.holds(text.length, _ -> parsed(text, limits));
        Json value = parsed(text, limits);
        if (value != null) {
            for (JsonFormat format : JsonFormat.values()) {
                sameAgain(value, value.toText(format));
            }
        }
    }

    /** What it says, or null if it is no JSON. */
    private static @Nullable Json parsed(byte[] text, JsonLimits limits) {
        try {
            return Json.parse(text, limits);
        } catch (JsonSyntaxException e) {
            if (e.offset() < 0 || e.offset() > text.length) {
                throw new AssertionError("an error outside of the " + text.length + " bytes", e);
            }
            return null;
        }
    }

    private static void sameAgain(Json value, String text) {
        try {
            if (!Json.parse(text).equals(value)) {
                throw new AssertionError("written as " + text + " it says something else");
            }
        } catch (JsonSyntaxException e) {
            throw new AssertionError("our own text is refused: " + text, e);
        }
    }
}
