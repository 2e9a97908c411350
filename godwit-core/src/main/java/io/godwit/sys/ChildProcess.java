// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
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

    private static final MethodHandle SPAWN = Libc.link(
            "posix_spawnp", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
    private static final MethodHandle ACTIONS_INIT = onObject("posix_spawn_file_actions_init");
    private static final MethodHandle ACTIONS_DESTROY = onObject("posix_spawn_file_actions_destroy");
    private static final MethodHandle ATTRIBUTES_INIT = onObject("posix_spawnattr_init");
    private static final MethodHandle ATTRIBUTES_DESTROY = onObject("posix_spawnattr_destroy");
    private static final MethodHandle SET_FLAGS =
            Libc.link("posix_spawnattr_setflags", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_SHORT));
    private static final MethodHandle ADD_DUP2 =
            Libc.link("posix_spawn_file_actions_adddup2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    /** glibc 2.34: Java's sockets would be inherited else, and their peers would never read an end. */
    private static final MethodHandle ADD_CLOSE_FROM =
            Libc.link("posix_spawn_file_actions_addclosefrom_np", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    private static final MethodHandle SYSCALL = Libc.link(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(1),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle WAITPID =
            Libc.capturing("waitpid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle KILL =
            Libc.capturing("kill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));

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
            MemorySegment actions = arena.allocate(OPAQUE, 16);
            MemorySegment attributes = arena.allocate(OPAQUE, 16);
            check((int) ACTIONS_INIT.invokeExact(actions), what, "posix_spawn_file_actions_init");
            check((int) ATTRIBUTES_INIT.invokeExact(attributes), what, "posix_spawnattr_init");
            try {
                check((int) ADD_DUP2.invokeExact(actions, input.number(), 0), what, "adddup2");
                check((int) ADD_DUP2.invokeExact(actions, output.number(), 1), what, "adddup2");
                check((int) ADD_CLOSE_FROM.invokeExact(actions, 3), what, "addclosefrom");
                // The signal mask of a fresh attribute is empty, and so is its process group: the child's own.
                short flags = SETPGROUP | SETSIGMASK;
                check((int) SET_FLAGS.invokeExact(attributes, flags), what, "posix_spawnattr_setflags");
                MemorySegment argv = arena.allocate(ADDRESS, command.size() + 1L);
                for (int i = 0; i < command.size(); i++) {
                    argv.setAtIndex(ADDRESS, i, arena.allocateFrom(command.get(i)));
                }
                int rc = (int)
                        SPAWN.invokeExact(pid, argv.getAtIndex(ADDRESS, 0), actions, attributes, argv, environment());
                check(rc, what, "posix_spawn");
            } finally {
                int _ = (int) ACTIONS_DESTROY.invokeExact(actions);
                int _ = (int) ATTRIBUTES_DESTROY.invokeExact(attributes);
            }
            return watched(pid.get(JAVA_INT, 0), what, arena);
        } catch (Throwable e) {
            throw Libc.unexpected(e);
        }
    }

    private static ChildProcess watched(int pid, String what, Arena arena) throws Throwable {
        MemorySegment state = arena.allocate(Libc.CALL_STATE);
        long fd = (long) SYSCALL.invokeExact(state, SYS_PIDFD_OPEN, pid, 0);
        if (fd < 0) {
            int errno = Libc.errno(state);
            int _ = (int) KILL.invokeExact(state, -pid, SIGKILL);
            int _ = (int) WAITPID.invokeExact(state, pid, MemorySegment.NULL, 0);
            throw new SystemCallException(what, "pidfd_open", errno);
        }
        return new ChildProcess(pid, Descriptor.adopt((int) fd, "process " + pid));
    }

    @SuppressWarnings("restricted")
    private static MemorySegment environment() {
        MemorySegment variable = Linker.nativeLinker()
                .defaultLookup()
                .find("environ")
                .orElseThrow(() -> new UnsupportedOperationException("this system's C library has no 'environ'"));
        return variable.reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0);
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
            MemorySegment state = arena.allocate(Libc.CALL_STATE);
            MemorySegment status = arena.allocate(JAVA_INT);
            int rc = (int) WAITPID.invokeExact(state, pid, status, WNOHANG);
            Libc.check(rc, "cannot wait for process " + pid, "waitpid", state);
            int word = status.get(JAVA_INT, 0);
            int signal = word & 0x7f;
            exitCode = rc == 0 ? -1 : signal == 0 ? word >> 8 & 0xff : SIGNALLED + signal;
            return exitCode;
        } catch (Throwable e) {
            throw Libc.unexpected(e);
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
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Libc.CALL_STATE);
            Libc.check((int) KILL.invokeExact(state, -pid, signal), "cannot end process " + pid, "kill", state);
        } catch (Throwable e) {
            throw Libc.unexpected(e);
        }
    }

    @Override
    public void close() throws SystemCallException {
        ending.close();
    }

    private static MethodHandle onObject(String name) {
        return Libc.link(name, FunctionDescriptor.of(JAVA_INT, ADDRESS));
    }

    private static void check(int errno, String what, String call) throws SystemCallException {
        if (errno != 0) {
            throw new SystemCallException(what, call, errno);
        }
    }
}
