// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/** How a value is written. Every form is one that every JSON parser reads. */
public enum JsonFormat {
    /** No white space; other than ASCII as UTF-8. */
    COMPACT,
    /** One line with a blank after each colon and comma, other than ASCII escaped: as QEMU's monitor writes. */
    QEMU,
    /** One member or element per line, indented by four blanks; other than ASCII as UTF-8. For people. */
    PRETTY
}
