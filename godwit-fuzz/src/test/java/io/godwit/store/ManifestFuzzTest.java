// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.json.Json;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonLimits;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.memory.XxHash64;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * What a bad disk or an editor may leave of a manifest. The first byte of an input is whether its check sum is made right, else nothing would come past it.
 */
class ManifestFuzzTest {
    @FuzzTest
    void manifest(byte[] input) {
        Budget.holds(input.length, _ -> read(input));
    }

    private static void read(byte[] input) {
        Manifest manifest;
        try {
            if (!(Json.parse(Pieces.rest(input, 1), JsonLimits.DEFAULT) instanceof JsonObject json)) {
                return;
            }
            manifest = ManifestJson.decode((Pieces.control(input, 0) & 1) == 0 ? checked(json) : json);
        } catch (JsonSyntaxException | IllegalArgumentException e) {
            // Both are told to the operator as a StoreException of kind CORRUPT.
            return;
        }
        if (!ManifestJson.decode(ManifestJson.encode(manifest)).equals(manifest)) {
            throw new AssertionError(manifest + " is written as another one");
        }
    }

    private static JsonObject checked(JsonObject json) {
        JsonObject.Builder body = JsonObject.builder();
        json.members().forEach((name, value) -> {
            if (!name.equals("check")) {
                body.put(name, value);
            }
        });
        JsonObject rest = body.build();
        byte[] bytes = rest.toText(JsonFormat.COMPACT).getBytes(StandardCharsets.UTF_8);
        String check = HexFormat.of().toHexDigits(XxHash64.hash(MemorySegment.ofArray(bytes), 0, bytes.length, 0));
        return JsonObject.builder().putAll(rest).put("check", check).build();
    }
}
