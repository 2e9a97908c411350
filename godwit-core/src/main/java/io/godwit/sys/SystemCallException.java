// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.io.IOException;

/** A system call that failed: the message is a sentence with the kernel's own words for the error. */
public final class SystemCallException extends IOException {
    private static final long serialVersionUID = 1;

    private final int errno;

    SystemCallException(String what, String call, int errno) {
        super(what + ": " + Libc.describe(errno) + " (" + call + ", errno " + errno + ")");
        this.errno = errno;
    }

    /** The kernel's error number, as in {@code errno(3)}. */
    public int errno() {
        return errno;
    }
}
