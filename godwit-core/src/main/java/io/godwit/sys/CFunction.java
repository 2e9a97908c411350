// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * A function of the C library, or of one like it. Those of the system are called in one shape: six words go in, one comes out, and errno. On 64-bit Linux a number or a pointer of any width travels in a register
 * of its own, a function looks at as many of them as it has arguments and at as much of each as it needs, and one with a variable number of them is called like any other. The
 * shape is one because a shape is what costs: Java makes and compiles the code for each anew in every process, about 9 ms of processor time, and there were twenty.
 *
 * <p>A pointer is passed as its address, so the caller has what it points at until the call returns. No call into the system is linked as critical: a thread inside one does not hold
 * up the JVM's safepoints.
 *
 * @param name for messages
 */
record CFunction(String name, MemorySegment address) {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option WITH_ERRNO = Linker.Option.captureCallState("errno");

    /** What errno is written to. */
    static final MemoryLayout CALL_STATE = Linker.Option.captureStateLayout();

    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle CALL =
            link(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    /** The errno of calls after which nobody looks at it, of all threads: room for it costs an allocation per call else. */
    private static final MemorySegment UNREAD = Arena.global().allocate(CALL_STATE);

    /** The second shape, for bytes that somebody else could free: Java keeps them while the call lasts. Linked once it is used. */
    private static final class Transfer {
        private static final MethodHandle CALL =
                link(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    /** The third, for a function that only computes, and for less than a microsecond: it has no errno, room for which is an object per call where Java does not optimize. */
    private static final class Computation {
        private static final MethodHandle CALL =
                link(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG), Linker.Option.critical(false));
    }

    private static MethodHandle link(FunctionDescriptor shape) {
        return link(shape, WITH_ERRNO);
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(FunctionDescriptor shape, Linker.Option option) {
        return LINKER.downcallHandle(shape, option);
    }

    /** The function of that name. */
    static CFunction of(String name) {
        return new CFunction(
                name,
                LINKER.defaultLookup()
                        .find(name)
                        .orElseThrow(() -> new UnsupportedOperationException(
                                "this system's C library has no function '" + name + "', which Godwit needs")));
    }

    /** Whether a C long, and so an off_t, is a word. */
    static boolean longsAreWords() {
        MemoryLayout cLong = LINKER.canonicalLayouts().get("long");
        return ADDRESS.byteSize() == 8 && cLong != null && cLong.byteSize() == 8;
    }

    /** Calls a function whose answer is a word. */
    long word(MemorySegment state, long a, long b, long c, long d, long e, long f) {
        try {
            return (long) CALL.invokeExact(address, state, a, b, c, d, e, f);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    /** Calls a function whose answer is an int; nobody says what the other half of its word is. */
    int call(MemorySegment state, long a, long b, long c, long d, long e, long f) {
        return (int) word(state, a, b, c, d, e, f);
    }

    int call(MemorySegment state, long a, long b, long c, long d) {
        return call(state, a, b, c, d, 0, 0);
    }

    /** Calls a function whose errno nobody looks at. Allocates nothing. */
    int call(long a, long b, long c, long d, long e, long f) {
        return call(UNREAD, a, b, c, d, e, f);
    }

    int call(long a, long b, long c) {
        return call(UNREAD, a, b, c, 0, 0, 0);
    }

    /** Calls a function that only computes, at once, and answers a word. Allocates nothing. */
    long computed(long a, long b, long c) {
        try {
            return (long) Computation.CALL.invokeExact(address, a, b, c);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    /** Calls a function that answers a pointer and leaves errno alone. */
    MemorySegment pointer(long a) {
        return MemorySegment.ofAddress(word(UNREAD, a, 0, 0, 0, 0, 0));
    }

    /** Calls a function that has a descriptor, bytes, their number and flags. */
    long transfer(MemorySegment state, int fd, MemorySegment bytes, long flags) {
        try {
            return (long) Transfer.CALL.invokeExact(address, state, (long) fd, bytes, bytes.byteSize(), flags);
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    /**
     * Calls a function that answers a negative int if it fails.
     *
     * @param what begins the sentence
     */
    int obeyed(String what, long a, long b, long c, long d) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            return checked(what, call(state, a, b, c, d), state);
        }
    }

    int obeyed(String what, long a, long b, long c) throws SystemCallException {
        return obeyed(what, a, b, c, 0);
    }

    int obeyed(String what, long a) throws SystemCallException {
        return obeyed(what, a, 0, 0, 0);
    }

    /** What it answered, unless that says that it failed. */
    int checked(String what, int answer, MemorySegment state) throws SystemCallException {
        if (answer < 0) {
            throw new SystemCallException(what, name, errno(state));
        }
        return answer;
    }

    static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    /** What a method handle may throw by its type; arguments that Java refuses, and defects of the linkage. */
    private static Error unexpected(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException refused -> throw refused;
            case Error error -> error;
            default -> new AssertionError("a downcall threw a checked exception", thrown);
        };
    }
}
