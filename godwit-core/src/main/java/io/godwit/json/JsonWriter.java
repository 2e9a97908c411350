// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.util.Iterator;
import java.util.Map;

/** Values to text. */
final class JsonWriter {
    private static final String INDENT = "    ";

    private final StringBuilder out = new StringBuilder();
    private final JsonFormat format;

    private JsonWriter(JsonFormat format) {
        this.format = format;
    }

    static String write(Json value, JsonFormat format) {
        JsonWriter writer = new JsonWriter(format);
        writer.value(value, 0);
        return writer.out.toString();
    }

    private void value(Json value, int depth) {
        switch (value) {
            case JsonObject object -> object(object, depth);
            case JsonArray array -> array(array, depth);
            case JsonString string -> string(string.value());
            case JsonNumber number -> out.append(number.literal());
            case JsonBool bool -> out.append(bool.value());
            case JsonNull _ -> out.append("null");
        }
    }

    private void object(JsonObject object, int depth) {
        out.append('{');
        Iterator<Map.Entry<String, Json>> members = object.members().entrySet().iterator();
        while (members.hasNext()) {
            Map.Entry<String, Json> member = members.next();
            newLine(depth + 1);
            string(member.getKey());
            out.append(format == JsonFormat.COMPACT ? ":" : ": ");
            value(member.getValue(), depth + 1);
            separate(members.hasNext(), depth);
        }
        out.append('}');
    }

    private void array(JsonArray array, int depth) {
        out.append('[');
        Iterator<Json> values = array.iterator();
        while (values.hasNext()) {
            newLine(depth + 1);
            value(values.next(), depth + 1);
            separate(values.hasNext(), depth);
        }
        out.append(']');
    }

    private void separate(boolean more, int depth) {
        if (!more) {
            newLine(depth);
        } else {
            out.append(format == JsonFormat.QEMU ? ", " : ",");
        }
    }

    private void newLine(int depth) {
        if (format == JsonFormat.PRETTY) {
            out.append('\n').repeat(INDENT, depth);
        }
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> character(isWhole(text, i) ? c : '\uFFFD');
            }
        }
        out.append('"');
    }

    private void character(char c) {
        // DEL is escaped as well: it may stand in JSON, but not harmlessly on a terminal.
        if (c < ' ' || c == 0x7f || (c > 0x7f && format == JsonFormat.QEMU)) {
            out.append("\\u%04x".formatted((int) c));
        } else {
            out.append(c);
        }
    }

    /** Whether the char is more than half a surrogate pair without its other half. */
    private static boolean isWhole(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1));
        }
        return !Character.isLowSurrogate(c) || (i > 0 && Character.isHighSurrogate(text.charAt(i - 1)));
    }
}
