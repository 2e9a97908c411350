// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A unix stream socket, connected or listening, whose calls wait, and which takes the descriptors that a peer hands over (SCM_RIGHTS): Java's channels drop those. Any thread may
 * use it, and {@link #close} ends every wait; a wait holds its thread in the kernel, so it must be a platform thread. No exec inherits it, nor what came over it.
 */
public final class UnixSocket implements AutoCloseable {
    /** Descriptors taken from one message; the kernel closes further ones. */
    public static final int MOST_HANDED = 16;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM_CLOEXEC = 1 | 0x80000;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SHUT_RD = 0;
    private static final int SHUT_RDWR = 2;
    private static final int EINTR = 4;
    private static final int ECONNABORTED = 103;

    private static final int SUN_PATH = 2;
    private static final int SOCKADDR_UN = 110;

    /** {@code struct msghdr} of 64-bit Linux: a name, the iovec and its count, the control bytes and their length, flags. */
    private static final long MSG_IOV = 16;

    private static final long MSG_IOVLEN = 24;
    private static final long MSG_CONTROL = 32;
    private static final long MSG_CONTROLLEN = 40;
    private static final long MSGHDR = 56;

    /** {@code struct cmsghdr}: its length with all that follows, level, type; then the data. The next one begins at a multiple of eight. */
    private static final long CMSG_LEVEL = 8;

    private static final long CMSG_TYPE = 12;
    private static final long CMSG_DATA = 16;
    private static final long CONTROL = CMSG_DATA + MOST_HANDED * 4L;

    private static final CFunction SOCKET = CFunction.of("socket");
    private static final CFunction CONNECT = CFunction.of("connect");
    private static final CFunction BIND = CFunction.of("bind");
    private static final CFunction LISTEN = CFunction.of("listen");
    private static final CFunction ACCEPT4 = CFunction.of("accept4");
    private static final CFunction SHUTDOWN = CFunction.of("shutdown");
    private static final CFunction SEND = CFunction.of("send");
    private static final CFunction RECVMSG = CFunction.of("recvmsg");

    private final int fd;
    private final String name;
    private int users; // under this
    private boolean closed; // under this

    private UnixSocket(int fd, String name) {
        this.fd = fd;
        this.name = name;
    }

    /** One that is neither connected nor listens yet. */
    public static UnixSocket open(String name) throws SystemCallException {
        return new UnixSocket(socket("cannot make the socket of " + name), name);
    }

    private static int socket(String what) throws SystemCallException {
        return SOCKET.obeyed(what, AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
    }

    /** A new socket that is connected, for whoever uses its number; waits if the listener's backlog is full. */
    static int connected(Path path) throws SystemCallException {
        String what = "cannot connect to " + path;
        int made = socket(what);
        try (Arena arena = Arena.ofConfined()) {
            CONNECT.obeyed(what, made, address(arena, path).address(), SOCKADDR_UN);
            return made;
        } catch (SystemCallException | RuntimeException e) {
            Libc.close("cannot close the socket for " + path, made);
            throw e;
        }
    }

    private static MemorySegment address(Arena arena, Path socket) {
        byte[] path = socket.toString().getBytes(StandardCharsets.UTF_8);
        if (path.length >= SOCKADDR_UN - SUN_PATH) {
            throw new IllegalArgumentException("the socket path " + socket + " is too long for the system");
        }
        MemorySegment address = arena.allocate(SOCKADDR_UN, 8);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, SUN_PATH, path.length);
        return address;
    }

    /** Makes the socket's file, with the mode that the umask leaves, and listens. */
    public void listen(Path path, int backlog) throws IOException {
        int number = enter();
        try (Arena arena = Arena.ofConfined()) {
            String what = "cannot listen on " + path;
            BIND.obeyed(what, number, address(arena, path).address(), SOCKADDR_UN);
            LISTEN.obeyed(what, number, backlog, 0);
        } finally {
            leave();
        }
    }

    /**
     * Waits for somebody who connects.
     *
     * @throws ClosedChannelException once it is closed
     */
    public UnixSocket accept() throws IOException {
        int number = enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            int made;
            do {
                made = ACCEPT4.call(state, number, 0, 0, SOCK_CLOEXEC);
            } while (made < 0
                    && !isClosed()
                    && (CFunction.errno(state) == EINTR || CFunction.errno(state) == ECONNABORTED));
            checkOpen(made);
            return new UnixSocket(ACCEPT4.checked("cannot accept a connection on " + name, made, state), name);
        } finally {
            leave();
        }
    }

    /**
     * Waits for bytes.
     *
     * @param into a direct buffer with room
     * @param handed takes each descriptor that came with these bytes, and owns it
     * @return how many; -1: the end
     * @throws ClosedChannelException if it was closed here
     */
    public int receive(ByteBuffer into, Consumer<Descriptor> handed) throws IOException {
        int number = enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            MemorySegment control = arena.allocate(CONTROL, 8);
            MemorySegment message = message(arena, into, control);
            long count;
            do {
                count = RECVMSG.word(state, number, message.address(), MSG_CMSG_CLOEXEC, 0, 0, 0);
            } while (count < 0 && CFunction.errno(state) == EINTR);
            if (count >= 0) {
                handed(control, message.get(JAVA_LONG, MSG_CONTROLLEN)).forEach(handed);
            }
            checkOpen(count);
            RECVMSG.checked("cannot read from " + name, count < 0 ? -1 : 0, state);
            into.position(into.position() + (int) count);
            return count == 0 ? -1 : (int) count;
        } finally {
            leave();
        }
    }

    private static MemorySegment message(Arena arena, ByteBuffer bytes, MemorySegment control) {
        MemorySegment vector = arena.allocate(16, 8);
        vector.set(ADDRESS, 0, MemorySegment.ofBuffer(bytes));
        vector.set(JAVA_LONG, 8, bytes.remaining());
        MemorySegment message = arena.allocate(MSGHDR, 8);
        message.set(ADDRESS, MSG_IOV, vector);
        message.set(JAVA_LONG, MSG_IOVLEN, 1);
        message.set(ADDRESS, MSG_CONTROL, control);
        message.set(JAVA_LONG, MSG_CONTROLLEN, control.byteSize());
        return message;
    }

    /** The kernel has opened what it names here, so each gets an owner. */
    private List<Descriptor> handed(MemorySegment control, long bytes) throws SystemCallException {
        List<Descriptor> all = new ArrayList<>();
        for (long at = 0; at + CMSG_DATA <= bytes; ) {
            long length = control.get(JAVA_LONG, at);
            if (control.get(JAVA_INT, at + CMSG_LEVEL) == SOL_SOCKET
                    && control.get(JAVA_INT, at + CMSG_TYPE) == SCM_RIGHTS) {
                for (long data = at + CMSG_DATA; data + 4 <= at + length; data += 4) {
                    all.add(Descriptor.adopt(control.get(JAVA_INT, data), "a descriptor from " + name));
                }
            }
            at += (length + 7) & -8;
        }
        return all;
    }

    /**
     * Sends all bytes; waits while the peer does not read.
     *
     * @param from a direct buffer
     * @throws ClosedChannelException if it was closed here
     */
    public void send(ByteBuffer from) throws IOException {
        int number = enter();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CFunction.CALL_STATE);
            while (from.hasRemaining()) {
                long count = SEND.transfer(state, number, MemorySegment.ofBuffer(from), MSG_NOSIGNAL);
                if (count < 0 && CFunction.errno(state) == EINTR) {
                    continue;
                }
                checkOpen(count);
                SEND.checked("cannot write to " + name, count < 0 ? -1 : 0, state);
                from.position(from.position() + (int) count);
            }
        } finally {
            leave();
        }
    }

    /** Ends what is read: what has come is still read, then the end. */
    public void shutdownInput() throws IOException {
        int number = enter();
        try {
            shutdown(number, SHUT_RD);
        } finally {
            leave();
        }
    }

    private static void shutdown(int number, int how) {
        // It fails where the peer is gone already: nothing is lost by that.
        int _ = SHUTDOWN.call(number, how, 0);
    }

    private synchronized int enter() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        users++;
        return fd;
    }

    /** The last one out lets go of the number, which would be somebody else's otherwise while a call is under way. */
    private void leave() throws SystemCallException {
        boolean last;
        synchronized (this) {
            users--;
            last = closed && users == 0;
        }
        if (last) {
            Libc.close("cannot close " + name, fd);
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private void checkOpen(long result) throws ClosedChannelException {
        if (result <= 0 && isClosed()) {
            throw new ClosedChannelException();
        }
    }

    /** Ends every wait; again does nothing. */
    @Override
    public void close() throws SystemCallException {
        boolean last;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            last = users == 0;
            if (!last) {
                shutdown(fd, SHUT_RDWR);
            }
        }
        if (last) {
            Libc.close("cannot close " + name, fd);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
