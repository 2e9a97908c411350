// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

/** Exit codes that several commands share; a user's mistake (2) and the unexpected (70) are the entry point's. */
public final class ExitCodes {
    /** It was done and did not succeed. */
    public static final int FAILED = 1;

    /** Something that is needed is not there or taken: a port, a socket, a peer (EX_UNAVAILABLE of sysexits). */
    public static final int UNAVAILABLE = 69;

    private ExitCodes() {}
}
