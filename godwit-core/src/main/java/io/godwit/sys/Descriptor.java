// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An open file descriptor that Java has no channel for: a pipe, an inherited one, one end of a socket. No exec inherits those made here. Used by one thread at a
 * time; a descriptor that is closed is never used again, so its number cannot hit another's file.
 */
public final class Descriptor implements AutoCloseable {
    /** What {@link #read} and {@link #write} answer when they would have to wait. */
    public static final int WOULD_WAIT = -2;

    private static final int O_WRONLY = 1;
    private static final int O_CREAT = 0x40;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final int F_GETFD = 1;
    private static final int F_SETFD = 2;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int FD_CLOEXEC = 1;
    private static final int SHUT_WR = 1;
    private static final int SEEK_SET = 0;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int OWNER_ONLY = 0600;

    private static final CFunction OPEN = CFunction.of("open");
    private static final CFunction FCNTL = CFunction.of("fcntl");
    private static final CFunction PIPE2 = CFunction.of("pipe2");
    private static final CFunction SHUTDOWN = CFunction.of("shutdown");
    private static final CFunction READ = CFunction.of("read");
    private static final CFunction WRITE = CFunction.of("write");
    private static final CFunction LSEEK = CFunction.of("lseek");
    private static final CFunction FSYNC = CFunction.of("fsync");

    private final int fd;
    private final String name;
    private boolean closed;

    private Descriptor(int fd, String name) {
        this.fd = fd;
        this.name = name;
    }

    /** A pipe. */
    public record Pipe(Descriptor readEnd, Descriptor writeEnd) {}

    /**
     * Takes over a number that somebody else opened; no later exec inherits it.
     *
     * @param name for messages
     * @throws SystemCallException if there is no such descriptor
     */
    public static Descriptor adopt(int fd, String name) throws SystemCallException {
        Descriptor adopted = new Descriptor(fd, name);
        adopted.fcntl(F_SETFD, FD_CLOEXEC);
        return adopted;
    }

    /** Whether there is one of that number which an exec would hand on. */
    static boolean isHandedOn(int fd) {
        try {
            return (new Descriptor(fd, "fd:" + fd).fcntl(F_GETFD, 0) & FD_CLOEXEC) == 0;
        } catch (SystemCallException closed) {
            return false; // there is none
        }
    }

    /** Opens a file for reading; does not wait for anybody, whatever kind of file it is. */
    public static Descriptor openToRead(Path path) throws SystemCallException {
        return open(path, O_NONBLOCK);
    }

    /** Opens a file for writing; makes it, for its owner only, if there is none. What is in it stays. */
    public static Descriptor openToWrite(Path path) throws SystemCallException {
        return open(path, O_WRONLY | O_CREAT | O_NONBLOCK);
    }

    private static Descriptor open(Path path, int flags) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(path.toString()).address();
            return new Descriptor(
                    OPEN.obeyed("cannot open " + path, name, flags | O_CLOEXEC, OWNER_ONLY), path.toString());
        }
    }

    public static Pipe pipe(String name) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(JAVA_INT, 2);
            PIPE2.obeyed("cannot make a pipe", ends.address(), O_CLOEXEC, 0);
            return new Pipe(
                    new Descriptor(ends.getAtIndex(JAVA_INT, 0), name),
                    new Descriptor(ends.getAtIndex(JAVA_INT, 1), name));
        }
    }

    /** Connects to a unix socket; waits if its backlog is full. */
    public static Descriptor connect(Path socket, String name) throws SystemCallException {
        return new Descriptor(UnixSocket.connected(socket), name);
    }

    /** Reads and writes answer {@link #WOULD_WAIT} from now on. This holds for everybody who has the same open file. */
    public Descriptor nonBlocking() throws SystemCallException {
        fcntl(F_SETFL, fcntl(F_GETFL, 0) | O_NONBLOCK);
        return this;
    }

    private int fcntl(int command, int argument) throws SystemCallException {
        return FCNTL.obeyed("cannot use " + name, number(), command, argument);
    }

    /**
     * Reads into a direct buffer.
     *
     * @return bytes read; -1: the end; {@link #WOULD_WAIT}
     */
    public int read(ByteBuffer into) throws SystemCallException {
        int count = transfer(READ, into);
        return count == 0 && into.hasRemaining() ? -1 : count;
    }

    /**
     * Writes from a direct buffer.
     *
     * @return bytes written, or {@link #WOULD_WAIT}
     */
    public int write(ByteBuffer from) throws SystemCallException {
        return transfer(WRITE, from);
    }

    private int transfer(CFunction call, ByteBuffer bytes) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            long count;
            do {
                count = call.transfer(state, number(), MemorySegment.ofBuffer(bytes), 0);
            } while (count < 0 && CFunction.errno(state) == EINTR);
            if (count < 0) {
                int errno = CFunction.errno(state);
                if (errno == EAGAIN) {
                    return WOULD_WAIT;
                }
                throw new SystemCallException("cannot " + call.name() + " " + name, call.name(), errno);
            }
            bytes.position(bytes.position() + (int) count);
            return (int) count;
        }
    }

    /** Cuts or lengthens the file to {@code offset} bytes and goes on from there. */
    public void truncateAt(long offset) throws SystemCallException {
        Libc.ftruncate("cannot set the length of " + name, number(), offset);
        seek(offset);
    }

    public void seek(long offset) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            long rc = LSEEK.word(state, number(), offset, SEEK_SET, 0, 0, 0);
            LSEEK.checked("cannot go to offset " + offset + " of " + name, rc < 0 ? -1 : 0, state);
        }
    }

    /** Waits until what was written is on the disk. */
    public void sync() throws SystemCallException {
        FSYNC.obeyed("cannot sync " + name, number());
    }

    /** Whether it is a socket, which both can read from and write to. */
    public boolean isSocket() {
        try {
            return Files.readSymbolicLink(link()).toString().startsWith("socket:");
        } catch (IOException e) {
            throw new UncheckedIOException("what " + name + " is cannot be found out", e);
        }
    }

    private Path link() {
        return Path.of("/proc/self/fd/" + number());
    }

    public boolean isRegularFile() {
        return Files.isRegularFile(link());
    }

    /** Says that nothing more will be written, if it is a connected socket; else does nothing. */
    public void shutdownOutput() {
        // It fails where the peer is gone already, and where it is no socket: nothing is lost by either.
        int _ = SHUTDOWN.call(number(), SHUT_WR, 0);
    }

    /** For a system call. */
    int number() {
        if (closed) {
            throw new IllegalStateException(name + " is closed");
        }
        return fd;
    }

    public boolean isOpen() {
        return !closed;
    }

    /** Again does nothing. */
    @Override
    public void close() throws SystemCallException {
        if (!closed) {
            closed = true;
            Libc.close("cannot close " + name, fd);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
