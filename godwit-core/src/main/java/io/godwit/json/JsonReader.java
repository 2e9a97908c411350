// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.util.BitSet;

/**
 * Reads one JSON text token by token, strictly after RFC 8259 and in UTF-8 without mistakes. Does not keep what it read, so it notices no
 * member that comes twice: {@link Json#parse} does. For one thread.
 */
public final class JsonReader {
    /** What {@link #next} found; colons and commas are checked and passed over. */
    public enum Token {
        BEGIN_OBJECT,
        END_OBJECT,
        BEGIN_ARRAY,
        END_ARRAY,
        /** A member's name; its value's tokens follow. */
        NAME,
        STRING,
        NUMBER,
        TRUE,
        FALSE,
        NULL,
        /** The text is over. */
        END
    }

    /** What the grammar allows next. */
    private enum Expect {
        VALUE,
        FIRST_NAME_OR_END,
        NAME,
        FIRST_ELEMENT_OR_END,
        COMMA_OR_END,
        NOTHING
    }

    private static final int SHOWN = 40;

    private final byte[] bytes;
    private final int from;
    private final int to;
    private final JsonLimits limits;
    private final BitSet objects = new BitSet(); // by level: whether it is an object
    private int depth;
    private int at;
    private int tokenAt;
    private Expect expect = Expect.VALUE;
    private String text = "";

    /**
     * @param utf8 not to be changed while it is read
     * @throws JsonSyntaxException if the text is longer than {@link JsonLimits#maxBytes}
     */
    public JsonReader(byte[] utf8, int from, int to, JsonLimits limits) throws JsonSyntaxException {
        if (from < 0 || to < from || to > utf8.length) {
            throw new IndexOutOfBoundsException("bytes " + from + " to " + to + " of " + utf8.length);
        }
        if (to - from > limits.maxBytes()) {
            throw new JsonSyntaxException(
                    limits.maxBytes(), "the text has " + (to - from) + " bytes, the limit is " + limits.maxBytes());
        }
        this.bytes = utf8;
        this.from = from;
        this.to = to;
        this.limits = limits;
        this.at = from;
    }

    /** The next token; {@link Token#END} again and again at the end. */
    public Token next() throws JsonSyntaxException {
        skipBlanks();
        tokenAt = at;
        return switch (expect) {
            case VALUE -> value();
            case FIRST_NAME_OR_END -> peek() == '}' ? end() : name();
            case NAME -> name();
            case FIRST_ELEMENT_OR_END -> peek() == ']' ? end() : value();
            case COMMA_OR_END -> afterValue();
            case NOTHING -> {
                if (at < to) {
                    throw wrong("expected nothing after the value, got " + seen());
                }
                yield Token.END;
            }
        };
    }

    /** The text of the last {@link Token#NAME}, {@link Token#STRING} (escapes resolved) or {@link Token#NUMBER} (as written). */
    public String text() {
        return text;
    }

    /** Where the last token begins: bytes from the beginning of the text. */
    public int offset() {
        return tokenAt - from;
    }

    /** How many objects and arrays are open. */
    public int depth() {
        return depth;
    }

    private Token afterValue() throws JsonSyntaxException {
        boolean inObject = objects.get(depth);
        int c = peek();
        if (c == (inObject ? '}' : ']')) {
            return end();
        }
        if (c != ',') {
            throw wrong("expected ',' or '" + (inObject ? '}' : ']') + "', got " + seen());
        }
        at++;
        skipBlanks();
        tokenAt = at;
        return inObject ? name() : value();
    }

    private Token end() {
        at++;
        Token token = objects.get(depth) ? Token.END_OBJECT : Token.END_ARRAY;
        depth--;
        valueEnded();
        return token;
    }

    private Token begin(boolean object) throws JsonSyntaxException {
        if (depth == limits.maxDepth()) {
            throw wrong("objects and arrays stand more than " + limits.maxDepth() + " deep in one another");
        }
        at++;
        objects.set(++depth, object);
        expect = object ? Expect.FIRST_NAME_OR_END : Expect.FIRST_ELEMENT_OR_END;
        return object ? Token.BEGIN_OBJECT : Token.BEGIN_ARRAY;
    }

    private void valueEnded() {
        expect = depth == 0 ? Expect.NOTHING : Expect.COMMA_OR_END;
    }

    private Token name() throws JsonSyntaxException {
        if (!isQuote(peek())) {
            throw wrong("expected a member's name in quotes, got " + seen());
        }
        text = string();
        skipBlanks();
        if (peek() != ':') {
            throw wrong("expected ':' after the member's name, got " + seen());
        }
        at++;
        expect = Expect.VALUE;
        return Token.NAME;
    }

    private Token value() throws JsonSyntaxException {
        int c = peek();
        if (c == '{' || c == '[') {
            return begin(c == '{');
        }
        Token token;
        if (isQuote(c)) {
            text = string();
            token = Token.STRING;
        } else if (c == '-' || isDigit(c)) {
            text = number();
            token = Token.NUMBER;
        } else {
            token = word();
        }
        valueEnded();
        return token;
    }

    private Token word() throws JsonSyntaxException {
        int end = at;
        while (end < to && bytes[end] >= 'a' && bytes[end] <= 'z' && end - at < SHOWN) {
            end++;
        }
        String word = ascii(at, end);
        Token token = switch (word) {
            case "true" -> Token.TRUE;
            case "false" -> Token.FALSE;
            case "null" -> Token.NULL;
            case "" -> throw wrong("expected a value, got " + seen());
            default -> throw wrong("expected a value, got '" + word + "'");
        };
        at = end;
        return token;
    }

    private String number() throws JsonSyntaxException {
        int begin = at;
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
            if (isDigit(peek())) {
                throw wrong("a number begins with a superfluous 0");
            }
        } else {
            digits();
        }
        if (peek() == '.') {
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
        if (at - begin > JsonNumber.MAX_LENGTH) {
            at = begin;
            throw wrong("a number has more than " + JsonNumber.MAX_LENGTH + " characters");
        }
        return ascii(begin, at);
    }

    private void digits() throws JsonSyntaxException {
        if (!isDigit(peek())) {
            throw wrong("expected a digit, got " + seen());
        }
        while (isDigit(peek())) {
            at++;
        }
    }

    /** From the opening quote to after the closing one. */
    private String string() throws JsonSyntaxException {
        int begin = at;
        byte quote = bytes[at++];
        StringBuilder chars = new StringBuilder();
        while (true) {
            int c = peek();
            if (c == quote) {
                at++;
                return chars.toString();
            } else if (c == '\\') {
                at++;
                JsonText.escape(this, chars, limits.singleQuotes());
            } else if (c >= ' ' && c < 0x80) {
                chars.append((char) c);
                at++;
            } else if (c >= 0x80) {
                at += JsonText.codePoint(bytes, at, to, at - from, chars);
            } else if (c < 0) {
                throw wrong("the text ends inside of a string");
            } else {
                throw wrong("a control character (0x%02x) stands in a string without an escape".formatted(c));
            }
            if (at - begin > limits.maxString()) {
                at = begin;
                throw wrong("a string has more than " + limits.maxString() + " bytes");
            }
        }
    }

    /** The byte at hand, which is passed over, or -1 at the end. */
    int take() {
        return at < to ? bytes[at++] & 0xff : -1;
    }

    private int peek() {
        return at < to ? bytes[at] & 0xff : -1;
    }

    private boolean isQuote(int c) {
        return c == '"' || (c == '\'' && limits.singleQuotes());
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private void skipBlanks() {
        while (at < to && (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) {
            at++;
        }
    }

    private String ascii(int begin, int end) {
        return new String(bytes, begin, end - begin, java.nio.charset.StandardCharsets.US_ASCII);
    }

    private String seen() {
        int c = peek();
        if (c < 0) {
            return "the end of the text";
        }
        return c > ' ' && c < 0x7f ? "'" + (char) c + "'" : "byte 0x%02x".formatted(c);
    }

    /** An error at the byte at hand. */
    JsonSyntaxException wrong(String reason) {
        return new JsonSyntaxException(at - from, reason);
    }

    /** Text from a stranger, cut to what a sentence can hold. */
    static String shown(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }
}
