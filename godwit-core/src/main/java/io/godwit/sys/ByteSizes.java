// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.util.Locale;

/** Sizes in words for people. */
public final class ByteSizes {
    private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private ByteSizes() {}

    /** A number of bytes in the largest fitting binary unit with at most one decimal: "64 GiB", "1.5 MiB", "17 bytes". */
    public static String show(long bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String digits = String.format(Locale.ROOT, "%.1f", value);
        return (digits.endsWith(".0") ? digits.substring(0, digits.length() - 2) : digits) + " " + UNITS[unit];
    }
}
