// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import io.godwit.sys.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;

/**
 * A connection for those who wait on threads of their own instead of on a {@link Reactor}: one may read while another writes. Any thread may close it, which ends both waits with a
 * {@link ClosedChannelException}.
 */
public sealed interface BlockingSocket extends AutoCloseable
        permits BlockingSocket.Plain, BlockingSocket.Handing, SecuredSocket {
    /**
     * Waits for bytes.
     *
     * @param into a direct buffer with room
     * @param handed takes each descriptor that the peer sent with these bytes, and owns it; some kinds of connections carry none
     * @return how many; -1: the end
     */
    int read(ByteBuffer into, Consumer<Descriptor> handed) throws IOException;

    /**
     * Writes all; waits while the peer does not read.
     *
     * @param from a direct buffer
     */
    void write(ByteBuffer from) throws IOException;

    /** Reading comes to an end, as if the peer had said so. */
    void shutdownInput() throws IOException;

    /** Says that nothing more will be written, where the kind of connection has a word for it; may wait while the peer does not read. */
    default void farewell() throws IOException {}

    /** The kind of thread that may wait here. */
    Thread.Builder thread();

    @Override
    void close() throws IOException;

    /** Over Java's channel: no descriptors come. */
    static BlockingSocket of(SocketChannel connected) {
        return new Plain(connected);
    }

    /** Java's own; virtual threads may wait. */
    record Plain(SocketChannel channel) implements BlockingSocket {
        @Override
        public int read(ByteBuffer into, Consumer<Descriptor> handed) throws IOException {
            return channel.read(into);
        }

        @Override
        public void write(ByteBuffer from) throws IOException {
            while (from.hasRemaining()) {
                channel.write(from);
            }
        }

        @Override
        public void shutdownInput() throws IOException {
            channel.shutdownInput();
        }

        @Override
        public Thread.Builder thread() {
            return Thread.ofVirtual();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** One over which descriptors may come; its waits hold a thread in the kernel. */
    record Handing(UnixSocket socket) implements BlockingSocket {
        @Override
        public int read(ByteBuffer into, Consumer<Descriptor> handed) throws IOException {
            return socket.receive(into, handed);
        }

        @Override
        public void write(ByteBuffer from) throws IOException {
            socket.send(from);
        }

        @Override
        public void shutdownInput() throws IOException {
            socket.shutdownInput();
        }

        @Override
        public Thread.Builder thread() {
            return Thread.ofPlatform().daemon();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
