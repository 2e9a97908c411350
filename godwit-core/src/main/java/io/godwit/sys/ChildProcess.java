// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A program started with descriptors of ours as its standard input and output, in a process group of its own. Its standard error is ours; nothing else of ours is open
 * in it ({@code java.lang.Process} offers pipes only behind streams that block). Whoever starts one must {@link #reap} it. Thread-safe.
 */
public final class ChildProcess implements AutoCloseable {
    /** What an exit code begins at that is a signal's number. */
    public static final int SIGNALLED = 128;

    /** What a shell ends with if there is no such program. */
    public static final int NOT_FOUND = 127;

    private static final int SETPGROUP = 2;
    private static final int SETSIGMASK = 8;
    private static final int WNOHANG = 1;
    private static final int SIGTERM = 15;
    private static final int SIGKILL = 9;

    /** {@code pidfd_open}: the same number on every architecture (Linux 5.3). */
    private static final long SYS_PIDFD_OPEN = 434;

    /** More than glibc's {@code posix_spawnattr_t} (336) and {@code posix_spawn_file_actions_t} (80) have. */
    private static final long OPAQUE = 1024;

    private static final CFunction SPAWN = CFunction.of("posix_spawnp");
    private static final CFunction ACTIONS_INIT = CFunction.of("posix_spawn_file_actions_init");
    private static final CFunction ACTIONS_DESTROY = CFunction.of("posix_spawn_file_actions_destroy");
    private static final CFunction ATTRIBUTES_INIT = CFunction.of("posix_spawnattr_init");
    private static final CFunction ATTRIBUTES_DESTROY = CFunction.of("posix_spawnattr_destroy");
    private static final CFunction SET_FLAGS = CFunction.of("posix_spawnattr_setflags");
    private static final CFunction ADD_DUP2 = CFunction.of("posix_spawn_file_actions_adddup2");
    /** glibc 2.34: Java's sockets would be inherited else, and their peers would never read an end. */
    private static final CFunction ADD_CLOSE_FROM = CFunction.of("posix_spawn_file_actions_addclosefrom_np");

    private static final CFunction SYSCALL = CFunction.of("syscall");
    private static final CFunction WAITPID = CFunction.of("waitpid");
    private static final CFunction KILL = CFunction.of("kill");

    private final int pid;
    private final Descriptor ending;
    private int exitCode = -1;

    private ChildProcess(int pid, Descriptor ending) {
        this.pid = pid;
        this.ending = ending;
    }

    /**
     * Starts a program, with our environment and working folder.
     *
     * @param command the program, looked for along PATH, and its arguments
     * @throws SystemCallException if there is no such program, and the like
     */
    public static ChildProcess start(List<String> command, Descriptor input, Descriptor output)
            throws SystemCallException {
        String what = "cannot start " + command.getFirst();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pid = arena.allocate(JAVA_INT);
            long actions = arena.allocate(OPAQUE, 16).address();
            long attributes = arena.allocate(OPAQUE, 16).address();
            prepare(ACTIONS_INIT, what, actions, 0, 0);
            prepare(ATTRIBUTES_INIT, what, attributes, 0, 0);
            try {
                prepare(ADD_DUP2, what, actions, input.number(), 0);
                prepare(ADD_DUP2, what, actions, output.number(), 1);
                prepare(ADD_CLOSE_FROM, what, actions, 3, 0);
                // The signal mask of a fresh attribute is empty, and so is its process group: the child's own.
                prepare(SET_FLAGS, what, attributes, SETPGROUP | SETSIGMASK, 0);
                MemorySegment argv = arena.allocate(ADDRESS, command.size() + 1L);
                for (int i = 0; i < command.size(); i++) {
                    argv.setAtIndex(ADDRESS, i, arena.allocateFrom(command.get(i)));
                }
                long program = argv.getAtIndex(ADDRESS, 0).address();
                check(
                        SPAWN,
                        what,
                        SPAWN.call(pid.address(), program, actions, attributes, argv.address(), environment()));
            } finally {
                int _ = ACTIONS_DESTROY.call(actions, 0, 0);
                int _ = ATTRIBUTES_DESTROY.call(attributes, 0, 0);
            }
            return watched(pid.get(JAVA_INT, 0), what, arena);
        }
    }

    private static ChildProcess watched(int pid, String what, Arena arena) throws SystemCallException {
        MemorySegment state = arena.allocate(CFunction.CALL_STATE);
        int fd = SYSCALL.call(state, SYS_PIDFD_OPEN, pid, 0, 0);
        if (fd < 0) {
            int errno = CFunction.errno(state);
            int _ = KILL.call(-pid, SIGKILL, 0);
            int _ = WAITPID.call(pid, 0, 0);
            throw new SystemCallException(what, "pidfd_open", errno);
        }
        return new ChildProcess(pid, Descriptor.adopt(fd, "process " + pid));
    }

    @SuppressWarnings("restricted")
    private static long environment() {
        MemorySegment variable = Linker.nativeLinker()
                .defaultLookup()
                .find("environ")
                .orElseThrow(() -> new UnsupportedOperationException("this system's C library has no 'environ'"));
        return variable.reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0).address();
    }

    public int pid() {
        return pid;
    }

    /** Readable once it has ended; for {@link Poll}. */
    public Descriptor ending() {
        return ending;
    }

    /**
     * Takes notice of its end, without waiting.
     *
     * @return its exit code, 128 and more: the signal that ended it; -1: it has not ended
     */
    public synchronized int reap() throws SystemCallException {
        if (exitCode >= 0) {
            return exitCode;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(JAVA_INT);
            int rc = WAITPID.obeyed("cannot wait for process " + pid, pid, status.address(), WNOHANG);
            int word = status.get(JAVA_INT, 0);
            int signal = word & 0x7f;
            exitCode = rc == 0 ? -1 : signal == 0 ? word >> 8 & 0xff : SIGNALLED + signal;
            return exitCode;
        }
    }

    /** Asks it, and what it started in its group, to end. Once it was reaped nothing is done: its number may be another's. */
    public void terminate() throws SystemCallException {
        kill(SIGTERM);
    }

    /** Ends it and what it started in its group. Once it was reaped nothing is done. */
    public void kill() throws SystemCallException {
        kill(SIGKILL);
    }

    private synchronized void kill(int signal) throws SystemCallException {
        if (exitCode >= 0) {
            return;
        }
        KILL.obeyed("cannot end process " + pid, -pid, signal, 0);
    }

    @Override
    public void close() throws SystemCallException {
        ending.close();
    }

    private static void prepare(CFunction function, String what, long object, long a, long b)
            throws SystemCallException {
        check(function, what, function.call(object, a, b));
    }

    /** These answer the error's number. */
    private static void check(CFunction function, String what, int errno) throws SystemCallException {
        if (errno != 0) {
            throw new SystemCallException(what, function.name(), errno);
        }
    }
}
