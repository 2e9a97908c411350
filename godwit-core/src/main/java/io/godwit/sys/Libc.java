// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Calls into the C library, Linux on 64 bits. Addresses travel as plain longs, so no call keeps a Java object. Every call that can fail
 * throws {@link SystemCallException} with a sentence that begins with the caller's {@code what}. All methods are thread-safe.
 */
final class Libc {
    /** {@code PROT_READ | PROT_WRITE}. */
    static final int PROT_READ_WRITE = 1 | 2;

    static final int MAP_SHARED = 1;
    static final int MAP_PRIVATE = 2;
    static final int MAP_ANONYMOUS = 0x20;

    /** Private anonymous memory: the pages are dropped and read as zeroes afterwards. */
    static final int MADV_DONTNEED = 4;

    private static final int MADV_HUGEPAGE = 14;

    /** As if each page had been written to; Linux 5.14. */
    private static final int MADV_POPULATE_WRITE = 23;

    private static final int MFD_CLOEXEC = 1;
    private static final int FALLOC_KEEP_SIZE_PUNCH_HOLE = 1 | 2;
    private static final int PR_SET_PDEATHSIG = 1;
    private static final long MAP_FAILED = -1;

    /** Linux's number on x86 and ARM; where it is another one, the call fails and nothing is a terminal. */
    private static final long TIOCGWINSZ = 0x5413;

    private static final CFunction MMAP = CFunction.of("mmap");
    private static final CFunction MUNMAP = CFunction.of("munmap");
    private static final CFunction MADVISE = CFunction.of("madvise");
    private static final CFunction MEMFD_CREATE = CFunction.of("memfd_create");
    private static final CFunction FTRUNCATE = CFunction.of("ftruncate");
    private static final CFunction FALLOCATE = CFunction.of("fallocate");
    private static final CFunction CLOSE = CFunction.of("close");
    private static final CFunction PRCTL = CFunction.of("prctl");
    private static final CFunction SETSID = CFunction.of("setsid");
    private static final CFunction IOCTL = CFunction.of("ioctl");
    private static final CFunction GETPPID = CFunction.of("getppid");
    private static final CFunction GETPAGESIZE = CFunction.of("getpagesize");
    private static final CFunction STRERROR = CFunction.of("strerror");

    static {
        requireKnownPlatform();
    }

    private Libc() {}

    /** The constants above are Linux's, and a C long and an off_t are 8 bytes: else every number passed here would be wrong. */
    private static void requireKnownPlatform() {
        String os = System.getProperty("os.name");
        if (!os.equals("Linux") || !CFunction.longsAreWords()) {
            throw new UnsupportedOperationException(
                    "guest memory is made by Linux system calls on 64 bits, and this is " + os + " on "
                            + System.getProperty("os.arch") + "; run Godwit on 64-bit Linux");
        }
        int bytes = GETPAGESIZE.call(0, 0, 0);
        if (bytes != 4096) {
            throw new UnsupportedOperationException(
                    "this kernel's pages have " + bytes + " bytes; only hosts with pages of 4096 bytes are handled");
        }
    }

    /** Maps new zeroed memory ({@code fd} -1) or a file from its beginning; returns its address. */
    static long mmap(String what, long bytes, int flags, int fd) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            long address = MMAP.word(state, 0, bytes, PROT_READ_WRITE, flags, fd, 0);
            if (address == MAP_FAILED) {
                throw new SystemCallException(what, "mmap", CFunction.errno(state));
            }
            return address;
        }
    }

    static void munmap(String what, long address, long bytes) throws SystemCallException {
        MUNMAP.obeyed(what, address, bytes, 0);
    }

    static void madvise(String what, long address, long bytes, int advice) throws SystemCallException {
        MADVISE.obeyed(what, address, bytes, advice);
    }

    /** Makes the pages of a range; false if the kernel cannot, for whatever reason: nothing depends on it. */
    static boolean populateWrite(long address, long bytes) {
        return MADVISE.call(address, bytes, MADV_POPULATE_WRITE) == 0;
    }

    /** A wish: false if the kernel has no huge pages. */
    static boolean preferHugePages(long address, long bytes) {
        return MADVISE.call(address, bytes, MADV_HUGEPAGE) == 0;
    }

    /** A new anonymous file in memory that no exec inherits; returns its descriptor. */
    static int memfdCreate(String what, String name) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            return MEMFD_CREATE.obeyed(what, arena.allocateFrom(name).address(), MFD_CLOEXEC, 0);
        }
    }

    static void ftruncate(String what, int fd, long bytes) throws SystemCallException {
        FTRUNCATE.obeyed(what, fd, bytes, 0);
    }

    /** Gives a range of a file back to the system; it reads as zeroes afterwards and the file keeps its size. */
    static void punchHole(String what, int fd, long offset, long bytes) throws SystemCallException {
        FALLOCATE.obeyed(what, fd, FALLOC_KEEP_SIZE_PUNCH_HOLE, offset, bytes);
    }

    static void close(String what, int fd) throws SystemCallException {
        CLOSE.obeyed(what, fd);
    }

    static void setParentDeathSignal(String what, int signal) throws SystemCallException {
        PRCTL.obeyed(what, PR_SET_PDEATHSIG, signal, 0);
    }

    static void setsid(String what) throws SystemCallException {
        SETSID.obeyed(what, 0);
    }

    /** Rows and columns of the terminal behind a descriptor, four 16-bit numbers of which the last two are not used; null if it is none. */
    static short @Nullable [] windowSize(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_SHORT, 4);
            return IOCTL.call(fd, TIOCGWINSZ, size.address()) < 0 ? null : size.toArray(JAVA_SHORT);
        }
    }

    static int getppid() {
        return GETPPID.call(0, 0, 0);
    }

    /** The C library's words for an error number, for example "Cannot allocate memory". */
    @SuppressWarnings("restricted")
    static String describe(int errno) {
        // The C library's texts are short; the bound only keeps a missing terminator from running away.
        return STRERROR.pointer(errno).reinterpret(1024).getString(0);
    }
}
