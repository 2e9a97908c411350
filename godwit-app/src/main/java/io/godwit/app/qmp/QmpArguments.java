// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.util.List;
import java.util.regex.Pattern;

/** A command's arguments from the words of a command line. */
final class QmpArguments {
    private static final Pattern INT = Pattern.compile("-?(0|[1-9][0-9]{0,19})");

    private QmpArguments() {}

    /**
     * Reads either one JSON object, or words {@code NAME=VALUE} (true, false and ints are those, all else is a string) and {@code NAME:=JSON}.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static JsonObject parse(List<String> words) {
        if (words.size() == 1 && words.getFirst().stripLeading().startsWith("{")) {
            return (JsonObject) json("the arguments", words.getFirst());
        }
        JsonObject.Builder arguments = JsonObject.builder();
        for (String word : words) {
            int equals = word.indexOf('=');
            boolean isJson = equals > 0 && word.charAt(equals - 1) == ':';
            String name = equals < 0 ? "" : word.substring(0, isJson ? equals - 1 : equals);
            if (name.isEmpty()) {
                throw new IllegalArgumentException("'" + word
                        + "' is no argument: use NAME=VALUE, NAME:=JSON, or one JSON object for all of them");
            }
            String value = word.substring(equals + 1);
            arguments.put(name, isJson ? json("'" + name + "'", value) : plain(value));
        }
        return arguments.build();
    }

    private static Json plain(String value) {
        if (value.equals("true") || value.equals("false")) {
            return Json.of(value.equals("true"));
        }
        return INT.matcher(value).matches() ? new JsonNumber(value) : Json.of(value);
    }

    private static Json json(String what, String text) {
        try {
            return Json.parse(text);
        } catch (JsonSyntaxException e) {
            throw new IllegalArgumentException(what + " must be JSON; " + e.getMessage(), e);
        }
    }
}
