// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

/** How a text looks on a terminal that knows ANSI's codes (ECMA-48, SGR). */
public enum Ink {
    PLAIN(""),
    BOLD("1"),
    DIM("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33"),
    BLUE("34"),
    MAGENTA("35"),
    CYAN("36"),
    BOLD_GREEN("1;32"),
    BOLD_RED("1;31");

    private static final String ESCAPE = "\033[";

    private final String code;

    Ink(String code) {
        this.code = code;
    }

    /** The text between the codes, or as it is for {@link #PLAIN}. */
    public String paint(String text) {
        return code.isEmpty() || text.isEmpty() ? text : ESCAPE + code + "m" + text + ESCAPE + "0m";
    }
}
