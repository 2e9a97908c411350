// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

/** Exit codes that several commands share; a user's mistake (2) and the unexpected (70) are the entry point's. */
public final class ExitCodes {
    /** It was done and did not succeed. */
    public static final int FAILED = 1;

    /** Something that is needed is not there or taken: a port, a socket, a peer (EX_UNAVAILABLE of sysexits). */
    public static final int UNAVAILABLE = 69;

    /** It was done, and something about it stays unproven. */
    public static final int UNPROVEN = 3;

    /** It is half done, nothing is lost, and the same command goes on (EX_TEMPFAIL of sysexits). */
    public static final int UNFINISHED = 75;

    private ExitCodes() {}
}
