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

    /**
     * Leaves the session and the process group of the parent ({@code setsid}): a Ctrl-C or a kill that is meant for the parent's group does not reach this
     * process, which learns of its parent's end in another way.
     *
     * @throws SystemCallException if this process leads a group of its own already
     */
    public static void leaveSession() throws SystemCallException {
        Libc.setsid("cannot leave the session of the parent process");
    }
}
