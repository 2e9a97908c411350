// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.util.Optional;

/** How large a terminal is, in characters. */
public record TerminalSize(int columns, int rows) {
    /** Standard output's file descriptor. */
    public static final int STDOUT = 1;

    private static final TerminalSize USUAL = new TerminalSize(80, 24);

    /**
     * The size of the terminal behind a file descriptor as it is now; empty if there is no terminal behind it. One that does not know its size counts as 80
     * by 24. Takes about a microsecond, so it may be asked before every drawing instead of listening to SIGWINCH.
     */
    public static Optional<TerminalSize> of(int fd) {
        short[] size = Libc.windowSize(fd);
        if (size == null) {
            return Optional.empty();
        }
        int rows = Short.toUnsignedInt(size[0]);
        int columns = Short.toUnsignedInt(size[1]);
        return Optional.of(columns == 0 || rows == 0 ? USUAL : new TerminalSize(columns, rows));
    }
}
