// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A client of a unix socket that hands descriptors over with what it says ({@code sendmsg} with SCM_RIGHTS), as management programs do. For one thread. */
public final class HandingClient implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM_CLOEXEC = 1 | 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int WAIT_MILLIS = 20_000;

    private static final CFunction SENDMSG = CFunction.of("sendmsg");
    private static final CFunction SOCKETPAIR = CFunction.of("socketpair");

    private final Descriptor socket;

    public HandingClient(Path path) throws IOException {
        socket = Descriptor.connect(path, "the server at " + path);
    }

    /** Two ends of one connection. */
    public record Ends(Descriptor one, Descriptor other) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try (one;
                    other) {
                // Both, whatever happens.
            }
        }
    }

    public static Ends pair() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(JAVA_INT, 2);
            SOCKETPAIR.obeyed("cannot make a pair", AF_UNIX, SOCK_STREAM_CLOEXEC, 0, ends.address());
            return new Ends(
                    Descriptor.adopt(ends.getAtIndex(JAVA_INT, 0), "one"),
                    Descriptor.adopt(ends.getAtIndex(JAVA_INT, 1), "other"));
        }
    }

    /** Says it in one piece, with descriptors that stay open here. */
    public void send(String text, Descriptor... handed) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ADDRESS, 0, arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes));
            vector.set(JAVA_LONG, 8, bytes.length);
            MemorySegment message = arena.allocate(56, 8);
            message.set(ADDRESS, 16, vector);
            message.set(JAVA_LONG, 24, 1);
            if (handed.length > 0) {
                MemorySegment control = arena.allocate((16 + handed.length * 4L + 7) & -8, 8);
                control.set(JAVA_LONG, 0, 16 + handed.length * 4L);
                control.set(JAVA_INT, 8, SOL_SOCKET);
                control.set(JAVA_INT, 12, SCM_RIGHTS);
                for (int i = 0; i < handed.length; i++) {
                    control.set(JAVA_INT, 16 + i * 4L, handed[i].number());
                }
                message.set(ADDRESS, 32, control);
                message.set(JAVA_LONG, 40, control.byteSize());
            }
            int count = SENDMSG.obeyed("cannot send", socket.number(), message.address(), MSG_NOSIGNAL);
            if (count != bytes.length) {
                throw new AssertionError("only " + count + " of " + bytes.length + " bytes were taken");
            }
        }
    }

    /** Says it and reads one line. */
    public String ask(String text, Descriptor... handed) throws IOException {
        send(text, handed);
        return line();
    }

    public String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        while (true) {
            awaitBytes(socket);
            if (socket.read(one.clear()) < 0) {
                throw new IOException("the end, after '" + line + "'");
            }
            if (one.get(0) == '\n') {
                return line.toString(StandardCharsets.UTF_8).strip();
            }
            line.write(one.get(0));
        }
    }

    /** Waits for something to read, or for the end. */
    public static void awaitBytes(Descriptor descriptor) throws IOException {
        try (Poll poll = new Poll(1)) {
            poll.watch(0, descriptor, Poll.IN);
            poll.await(WAIT_MILLIS);
            if (poll.found(0) == 0) {
                throw new AssertionError("nothing came from " + descriptor + " within " + WAIT_MILLIS + " ms");
            }
        }
    }

    /** Waits until nobody is at the other end of it any more. */
    public static void awaitEnd(Descriptor descriptor) throws IOException {
        awaitBytes(descriptor);
        int count = descriptor.read(ByteBuffer.allocateDirect(1));
        if (count != -1) {
            throw new AssertionError("not the end of " + descriptor + ": " + count);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
