// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.regex.Pattern;

/**
 * A number, kept as it was written, so nothing of it is lost: QEMU's counters are u64, and 18446744073709551615 fits neither a long nor a
 * double. Two numbers are equal if their literals are: 1 and 1.0 are not.
 *
 * @param literal the number in JSON's grammar, at most {@link #MAX_LENGTH} characters
 */
public record JsonNumber(String literal) implements Json {
    /** The longest literal, in characters: far beyond every number that QMP or a stream description has. */
    public static final int MAX_LENGTH = 256;

    private static final Pattern GRAMMAR = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    private static final BigInteger MAX_UINT64 =
            BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);

    public JsonNumber {
        if (literal.length() > MAX_LENGTH || !GRAMMAR.matcher(literal).matches()) {
            throw new IllegalArgumentException(
                    "'" + literal + "' is no JSON number of at most " + MAX_LENGTH + " characters");
        }
    }

    static JsonNumber of(long value) {
        return new JsonNumber(Long.toString(value));
    }

    static JsonNumber of(double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("JSON has no number for " + value);
        }
        if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
            return of((long) value);
        }
        return new JsonNumber(new BigDecimal(Double.toString(value)).toString());
    }

    @Override
    public String typeName() {
        return isInt() ? "int" : "number";
    }

    /** Whether it was written without fraction and exponent. */
    public boolean isInt() {
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c == '.' || c == 'e' || c == 'E') {
                return false;
            }
        }
        return true;
    }

    /** Whether {@link #int64} has an answer. */
    public boolean fitsInt64() {
        return isInt() && integer().bitLength() < Long.SIZE;
    }

    /** Whether {@link #uint64} has an answer. */
    public boolean fitsUint64() {
        return isInt() && integer().signum() >= 0 && integer().compareTo(MAX_UINT64) <= 0;
    }

    /** @throws JsonTypeException if it is no int from -2^63 to 2^63-1 */
    public long int64() {
        if (!fitsInt64()) {
            throw new JsonTypeException(literal + " is no int between -2^63 and 2^63-1");
        }
        return integer().longValue();
    }

    /**
     * The 64 bits of an unsigned number: compare and print them with {@link Long}'s unsigned methods.
     *
     * @throws JsonTypeException if it is no int from 0 to 2^64-1
     */
    public long uint64() {
        if (!fitsUint64()) {
            throw new JsonTypeException(literal + " is no int between 0 and 2^64-1");
        }
        return integer().longValue();
    }

    /** The nearest double; infinite if it is too large for one. */
    public double doubleValue() {
        return Double.parseDouble(literal);
    }

    private BigInteger integer() {
        return new BigInteger(literal);
    }

    @Override
    public String toString() {
        return literal;
    }
}
