// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

/** Ties this process to the one that started it. */
public final class ParentProcess {
    private static final int SIGKILL = 9;

    private ParentProcess() {}

    /** Process id of the parent; 1, or that of a subreaper, once the original parent has ended. */
    public static int pid() {
        return Libc.getppid();
    }

    /**
     * From here on the kernel kills this process when its parent ends ({@code PR_SET_PDEATHSIG}, SIGKILL). Two things the kernel ties to
     * threads: "the parent" is the <em>thread</em> that started this process, and the wish is kept by the thread that calls this, so both have to live as
     * long as the tie shall hold.
     *
     * @param expectedParent process id of the parent that started us
     * @return false if that parent had ended already, so that nobody would kill us: the caller should end by itself
     */
    public static boolean dieWith(int expectedParent) throws SystemCallException {
        Libc.setParentDeathSignal("cannot tie this process to its parent", SIGKILL);
        return Libc.getppid() == expectedParent;
    }
}
