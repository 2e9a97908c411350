// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Calls into the C library, Linux on 64 bits. Addresses travel as plain longs, so no call keeps a Java object. Every call that can fail
 * throws {@link SystemCallException} with a sentence that begins with the caller's {@code what}. All methods are thread-safe.
 *
 * <p>None of the calls is linked as critical: a thread inside one does not hold up the JVM's safepoints.
 */
final class Libc {
    /** {@code PROT_READ | PROT_WRITE}. */
    static final int PROT_READ_WRITE = 1 | 2;

    static final int MAP_SHARED = 1;
    static final int MAP_PRIVATE = 2;
    static final int MAP_ANONYMOUS = 0x20;

    /** Private anonymous memory: the pages are dropped and read as zeroes afterwards. */
    static final int MADV_DONTNEED = 4;

    /** As if each page had been written to; Linux 5.14. */
    private static final int MADV_HUGEPAGE = 14;

    private static final int MADV_POPULATE_WRITE = 23;

    private static final int MFD_CLOEXEC = 1;
    private static final int FALLOC_KEEP_SIZE_PUNCH_HOLE = 1 | 2;
    private static final int PR_SET_PDEATHSIG = 1;
    private static final long MAP_FAILED = -1;

    /** Linux's number on x86 and ARM; where it is another one, the call fails and nothing is a terminal. */
    private static final long TIOCGWINSZ = 0x5413;

    private static final Linker LINKER = Linker.nativeLinker();
    static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle MMAP = capturing(
            "mmap", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MUNMAP =
            capturing("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle MADVISE =
            capturing("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    /** The same without errno, which costs an allocation per call. */
    private static final MethodHandle MADVISE_ONLY =
            link("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

    private static final MethodHandle MEMFD_CREATE =
            capturing("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle FTRUNCATE =
            capturing("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle FALLOCATE =
            capturing("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle CLOSE = capturing("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle PRCTL = link(
            "prctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle SETSID = capturing("setsid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle IOCTL = link(
            "ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
            Linker.Option.firstVariadicArg(2),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle GETPPID = link("getppid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle GETPAGESIZE = link("getpagesize", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle STRERROR = link("strerror", FunctionDescriptor.of(ADDRESS, JAVA_INT));

    static {
        requireKnownPlatform();
    }

    private Libc() {}

    /** The constants above are Linux's, and a C long and an off_t are 8 bytes: else every number passed here would be wrong. */
    private static void requireKnownPlatform() {
        String os = System.getProperty("os.name");
        MemoryLayout cLong = LINKER.canonicalLayouts().get("long");
        if (!os.equals("Linux") || ADDRESS.byteSize() != 8 || cLong == null || cLong.byteSize() != 8) {
            throw new UnsupportedOperationException(
                    "guest memory is made by Linux system calls on 64 bits, and this is " + os + " on "
                            + System.getProperty("os.arch") + "; run Godwit on 64-bit Linux");
        }
        if (getpagesize() != 4096) {
            throw new UnsupportedOperationException("this kernel's pages have " + getpagesize()
                    + " bytes; only hosts with pages of 4096 bytes are handled");
        }
    }

    /** Maps new zeroed memory ({@code fd} -1) or a file from its beginning; returns its address. */
    static long mmap(String what, long bytes, int flags, int fd) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            long address = (long) MMAP.invokeExact(state, 0L, bytes, PROT_READ_WRITE, flags, fd, 0L);
            if (address == MAP_FAILED) {
                throw new SystemCallException(what, "mmap", errno(state));
            }
            return address;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void munmap(String what, long address, long bytes) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) MUNMAP.invokeExact(state, address, bytes), what, "munmap", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void madvise(String what, long address, long bytes, int advice) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) MADVISE.invokeExact(state, address, bytes, advice), what, "madvise", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Makes the pages of a range; false if the kernel cannot, for whatever reason: nothing depends on it. */
    static boolean populateWrite(long address, long bytes) {
        try {
            return (int) MADVISE_ONLY.invokeExact(address, bytes, MADV_POPULATE_WRITE) == 0;
        } catch (Throwable e) {
            throw new AssertionError("a downcall threw", e);
        }
    }

    /** A wish: false if the kernel has no huge pages. */
    static boolean preferHugePages(long address, long bytes) {
        try {
            return (int) MADVISE_ONLY.invokeExact(address, bytes, MADV_HUGEPAGE) == 0;
        } catch (Throwable e) {
            throw new AssertionError("a downcall threw", e);
        }
    }

    /** A new anonymous file in memory that no exec inherits; returns its descriptor. */
    static int memfdCreate(String what, String name) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int fd = (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(name), MFD_CLOEXEC);
            check(fd, what, "memfd_create", state);
            return fd;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void ftruncate(String what, int fd, long bytes) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) FTRUNCATE.invokeExact(state, fd, bytes), what, "ftruncate", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Gives a range of a file back to the system; it reads as zeroes afterwards and the file keeps its size. */
    static void punchHole(String what, int fd, long offset, long bytes) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int rc = (int) FALLOCATE.invokeExact(state, fd, FALLOC_KEEP_SIZE_PUNCH_HOLE, offset, bytes);
            check(rc, what, "fallocate", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void close(String what, int fd) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) CLOSE.invokeExact(state, fd), what, "close", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void setParentDeathSignal(String what, int signal) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int rc = (int) PRCTL.invokeExact(state, PR_SET_PDEATHSIG, (long) signal, 0L, 0L, 0L);
            check(rc, what, "prctl(PR_SET_PDEATHSIG)", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void setsid(String what) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            check((int) SETSID.invokeExact(state), what, "setsid", state);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Rows and columns of the terminal behind a descriptor, four 16-bit numbers of which the last two are not used; null if it is none. */
    static short @Nullable [] windowSize(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            MemorySegment size = arena.allocate(JAVA_SHORT, 4);
            int rc = (int) IOCTL.invokeExact(state, fd, TIOCGWINSZ, size);
            return rc < 0 ? null : size.toArray(JAVA_SHORT);
        } catch (Throwable e) {
            throw new AssertionError("ioctl cannot fail but by its answer", e);
        }
    }

    static int getppid() {
        try {
            return (int) GETPPID.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError("getppid cannot fail", e);
        }
    }

    private static int getpagesize() {
        try {
            return (int) GETPAGESIZE.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError("getpagesize cannot fail", e);
        }
    }

    /** The C library's words for an error number, for example "Cannot allocate memory". */
    @SuppressWarnings("restricted")
    static String describe(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            // The C library's texts are short; the bound only keeps a missing terminator from running away.
            return text.reinterpret(1024).getString(0);
        } catch (Throwable e) {
            throw new AssertionError("strerror cannot fail", e);
        }
    }

    static void check(int rc, String what, String call, MemorySegment state) throws SystemCallException {
        if (rc < 0) {
            throw new SystemCallException(what, call, errno(state));
        }
    }

    static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    /** What a method handle may throw by its type: only our own exception is expected, anything else is a defect of the linkage. */
    static SystemCallException unexpected(Throwable e) {
        return switch (e) {
            case SystemCallException failed -> failed;
            case Error error -> throw error;
            case RuntimeException failed -> throw failed;
            default -> throw new AssertionError("a downcall threw a checked exception", e);
        };
    }

    static MethodHandle capturing(String name, FunctionDescriptor type) {
        return link(name, type, Linker.Option.captureCallState("errno"));
    }

    @SuppressWarnings("restricted")
    static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... options) {
        MemorySegment symbol = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsupportedOperationException(
                        "this system's C library has no function '" + name + "', which guest memory needs"));
        return LINKER.downcallHandle(symbol, type, options);
    }
}
