// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.json.JsonLimits;
import io.godwit.json.JsonReader;
import io.godwit.json.JsonReader.Token;
import io.godwit.json.JsonSyntaxException;
import java.util.ArrayList;
import java.util.List;

/**
 * A device as the vmdesc lists it, {@code spec/stream.md §8}. Read token by token, so that a description of many megabytes does not become a tree.
 *
 * @param idstr name of its FULL section
 * @param instanceId of its FULL section
 * @param bodyBytes length of its body: the sum over its fields of size times array length (1 where it is none), and for each subsection {@code 2 +
 *     name + 4} and its own such sum
 */
public record DescribedDevice(String idstr, long instanceId, long bodyBytes) {
    private static final int MAX_DEPTH = 256;
    private static final int MAX_STRING = 64 << 10;
    /** A body is never longer, so sums of a peer's numbers stay far from overflow. */
    private static final long MAX_BODY = 1L << 40;

    /**
     * The devices of a vmdesc in stream order; those saved early come first. Empty if it lists none, like {@code {}}.
     *
     * @throws WireException if it is no JSON object of the form, at {@code offset} of its first byte in the channel plus where it went wrong
     */
    public static List<DescribedDevice> parse(byte[] json, long offset) throws WireException {
        return parse(json, 0, json.length, offset);
    }

    static List<DescribedDevice> parse(byte[] bytes, int from, int to, long offset) throws WireException {
        try {
            JsonLimits limits = new JsonLimits(Math.max(1, to - from), MAX_DEPTH, MAX_STRING, false);
            return new Parser(new JsonReader(bytes, from, to, limits), offset).devices();
        } catch (JsonSyntaxException e) {
            throw new WireException(WireException.MAIN, offset + e.offset(), "the vmdesc is no JSON: " + e.reason());
        }
    }

    /** One pass over the tokens; each method ends behind the value that it reads. */
    private static final class Parser {
        private final JsonReader json;
        private final long offset;

        Parser(JsonReader json, long offset) {
            this.json = json;
            this.offset = offset;
        }

        List<DescribedDevice> devices() throws JsonSyntaxException, WireException {
            List<DescribedDevice> devices = new ArrayList<>();
            expect(json.next(), Token.BEGIN_OBJECT);
            while (json.next() == Token.NAME) {
                if (!json.text().equals("devices")) {
                    skip(json.next());
                    continue;
                }
                expect(json.next(), Token.BEGIN_ARRAY);
                for (Token t = json.next(); t != Token.END_ARRAY; t = json.next()) {
                    devices.add(device(t));
                }
            }
            expect(json.next(), Token.END);
            return devices;
        }

        private DescribedDevice device(Token first) throws JsonSyntaxException, WireException {
            expect(first, Token.BEGIN_OBJECT);
            String idstr = "";
            long instance = 0;
            long size = 0;
            while (json.next() == Token.NAME) {
                switch (json.text()) {
                    case "name" -> idstr = string();
                    case "instance_id" -> instance = number();
                    case "fields" -> size = add(size, fields());
                    case "subsections" -> size = add(size, subsections());
                    default -> skip(json.next());
                }
            }
            return new DescribedDevice(idstr, instance, size);
        }

        private long fields() throws JsonSyntaxException, WireException {
            expect(json.next(), Token.BEGIN_ARRAY);
            long sum = 0;
            for (Token t = json.next(); t != Token.END_ARRAY; t = json.next()) {
                expect(t, Token.BEGIN_OBJECT);
                long size = 0;
                long count = 1;
                while (json.next() == Token.NAME) {
                    switch (json.text()) {
                        case "size" -> size = number();
                        case "array_len" -> count = number();
                        default -> skip(json.next());
                    }
                }
                if (size != 0 && count > MAX_BODY / size) {
                    throw wrong("a field of " + count + " times " + size + " bytes");
                }
                sum = add(sum, size * count);
            }
            return sum;
        }

        private long subsections() throws JsonSyntaxException, WireException {
            expect(json.next(), Token.BEGIN_ARRAY);
            long sum = 0;
            for (Token t = json.next(); t != Token.END_ARRAY; t = json.next()) {
                expect(t, Token.BEGIN_OBJECT);
                while (json.next() == Token.NAME) {
                    switch (json.text()) {
                        case "vmsd_name" -> sum = add(sum, 1 + WireFormat.str8Size(string()) + 4);
                        case "fields" -> sum = add(sum, fields());
                        case "subsections" -> sum = add(sum, subsections());
                        default -> skip(json.next());
                    }
                }
            }
            return sum;
        }

        private long add(long sum, long more) throws WireException {
            if (more > MAX_BODY - sum) {
                throw wrong("a device of more than " + MAX_BODY + " bytes");
            }
            return sum + more;
        }

        private String string() throws JsonSyntaxException, WireException {
            expect(json.next(), Token.STRING);
            return json.text();
        }

        private long number() throws JsonSyntaxException, WireException {
            expect(json.next(), Token.NUMBER);
            String text = json.text();
            if (text.length() > 15 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw wrong("the number " + text.substring(0, Math.min(40, text.length())));
            }
            return Long.parseLong(text);
        }

        /** Passes over the value whose first token is {@code first}. */
        private void skip(Token first) throws JsonSyntaxException {
            if (first == Token.BEGIN_OBJECT || first == Token.BEGIN_ARRAY) {
                int level = json.depth();
                while (json.depth() >= level) {
                    json.next();
                }
            }
        }

        private void expect(Token token, Token expected) throws WireException {
            if (token != expected) {
                throw wrong(token + " where " + expected + " is due");
            }
        }

        private WireException wrong(String what) {
            return new WireException(
                    WireException.MAIN, offset + json.offset(), "the vmdesc is not of the known form: " + what);
        }
    }
}
