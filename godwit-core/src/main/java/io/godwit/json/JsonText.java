// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/** Escapes and UTF-8 inside of strings. */
final class JsonText {
    private static final int HEX_DIGITS = 4;

    private JsonText() {}

    /**
     * Resolves an escape whose backslash was just read.
     *
     * @param singleQuote whether a single quote may be escaped: it can only need it where it delimits strings
     */
    static void escape(JsonReader reader, StringBuilder out, boolean singleQuote) throws JsonSyntaxException {
        int c = reader.take();
        if (c == '\'' && singleQuote) {
            out.append('\'');
            return;
        }
        switch (c) {
            case '"', '\\', '/' -> out.append((char) c);
            case 'b' -> out.append('\b');
            case 'f' -> out.append('\f');
            case 'n' -> out.append('\n');
            case 'r' -> out.append('\r');
            case 't' -> out.append('\t');
            case 'u' -> unicode(reader, out);
            case -1 -> throw reader.wrong("the text ends inside of a string");
            default -> throw reader.wrong("a backslash stands before something that needs none");
        }
    }

    private static void unicode(JsonReader reader, StringBuilder out) throws JsonSyntaxException {
        char first = hex(reader);
        if (!Character.isSurrogate(first)) {
            out.append(first);
            return;
        }
        if (Character.isHighSurrogate(first) && reader.take() == '\\' && reader.take() == 'u') {
            char second = hex(reader);
            if (Character.isLowSurrogate(second)) {
                out.append(first).append(second);
                return;
            }
        }
        throw reader.wrong("\\u%04x is half of a surrogate pair without its other half".formatted((int) first));
    }

    private static char hex(JsonReader reader) throws JsonSyntaxException {
        int value = 0;
        for (int i = 0; i < HEX_DIGITS; i++) {
            int c = reader.take();
            int digit = c < 0 || c > 0x7f ? -1 : Character.digit(c, 16);
            if (digit < 0) {
                throw reader.wrong("\\u needs four hexadecimal digits");
            }
            value = value << 4 | digit;
        }
        return (char) value;
    }

    /**
     * Decodes one code point above ASCII, strictly: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629 §3).
     *
     * @param at where it begins in {@code bytes}
     * @param offset the same in the text, for the error
     * @return its length in bytes
     */
    static int codePoint(byte[] bytes, int at, int to, int offset, StringBuilder out) throws JsonSyntaxException {
        int lead = bytes[at] & 0xff;
        int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        int least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
        boolean valid = lead >= 0xc2 && lead <= 0xf4 && at + length <= to;
        int point = lead & (0xff >> (length + 1));
        for (int i = 1; valid && i < length; i++) {
            int next = bytes[at + i] & 0xff;
            valid = (next & 0xc0) == 0x80;
            point = point << 6 | (next & 0x3f);
        }
        if (!valid || point < least || point > Character.MAX_CODE_POINT || (point >= 0xd800 && point < 0xe000)) {
            throw new JsonSyntaxException(offset, "the bytes are not UTF-8 (0x%02x…)".formatted(lead));
        }
        out.appendCodePoint(point);
        return length;
    }
}
