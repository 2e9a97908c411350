// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.page.Pages;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes and rates as people write them on a command line. */
public final class Amounts {
    private static final Pattern NUMBER = Pattern.compile("([0-9]{1,15})([KMGT]?)(i?B)?", Pattern.CASE_INSENSITIVE);

    private Amounts() {}

    /** Bytes: {@code 268435456}, {@code 256M}, {@code 1GiB}. */
    public static final class Bytes implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return number(text, "'" + text + "' is no size: give bytes, or a number with K, M, G or T, as in 256M");
        }
    }

    /** Pages per second: {@code 20000}; with a unit bytes per second, {@code 80M} being 20480 pages. */
    public static final class PagesPerSecond implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            String sentence = "'" + text + "' is no rate: give pages per second, as in 20000, or bytes per second with"
                    + " K, M or G, as in 80M";
            long value = number(text, sentence);
            boolean bytes = !text.chars().allMatch(Character::isDigit);
            return bytes ? Math.max(value == 0 ? 0 : 1, value >> Pages.SHIFT) : value;
        }
    }

    private static long number(String text, String sentence) {
        Matcher matcher = NUMBER.matcher(text.strip());
        if (!matcher.matches()) {
            throw new TypeConversionException(sentence);
        }
        String unit = matcher.group(2);
        int shift = unit.isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(Character.toUpperCase(unit.charAt(0))));
        long value = Long.parseLong(matcher.group(1));
        if (value > Long.MAX_VALUE >> shift) {
            throw new TypeConversionException(sentence);
        }
        return value << shift;
    }
}
