// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** A plain blocking socket: what the other program does, with nothing of ours in it. */
record Peer(SocketChannel channel) implements AutoCloseable {

    static SocketAddress socket(Address address) {
        return switch (address) {
            case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
            case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
        };
    }

    static Peer connect(Address address) throws IOException {
        return new Peer(SocketChannel.open(socket(address)));
    }

    static ServerSocketChannel server(String address) throws IOException {
        Address where = Address.parse(address);
        ServerSocketChannel server = where instanceof Address.Tcp
                ? ServerSocketChannel.open()
                : ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        return server.bind(socket(where));
    }

    static Address addressOf(ServerSocketChannel server) throws IOException {
        return switch (server.getLocalAddress()) {
            case InetSocketAddress inet -> Sockets.address(inet);
            case UnixDomainSocketAddress unix -> new Address.Unix(unix.getPath());
            default -> throw new AssertionError(server);
        };
    }

    static Peer accept(ServerSocketChannel server) throws IOException {
        return new Peer(server.accept());
    }

    Peer say(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.US_ASCII));
    }

    Peer send(byte[] bytes) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(bytes);
        while (all.hasRemaining()) {
            channel.write(all);
        }
        return this;
    }

    /** Exactly so many characters, or fewer if the stream ends. */
    String hear(int length) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(length);
        int count = 0;
        while (into.hasRemaining() && count >= 0) {
            count = channel.read(into);
        }
        return StandardCharsets.US_ASCII.decode(into.flip()).toString();
    }

    /** Reads to the end of the stream, whether it comes in order or by a reset; returns how much there was. */
    long hearOut() {
        ByteBuffer into = ByteBuffer.allocate(64 << 10);
        long sum = 0;
        try {
            for (int n = channel.read(into); n >= 0; n = channel.read(into.clear())) {
                sum += n;
            }
        } catch (IOException reset) {
            return sum;
        }
        return sum;
    }

    /** As {@link #hearOut}, for speed. */
    void hearOutDirect() {
        ByteBuffer into = ByteBuffer.allocateDirect(256 << 10);
        try {
            int count = 0;
            while (count >= 0) {
                count = channel.read(into.clear());
            }
        } catch (IOException reset) {
            throw new UncheckedIOException(reset);
        }
    }

    /** Everything up to the end of the stream. */
    byte[] hearBytes() throws IOException {
        return Channels.newInputStream(channel).readAllBytes();
    }

    /** Sends until nothing has been taken for a tenth of a second; leaves the socket non-blocking. */
    long sendUntilHeldUp() throws IOException {
        channel.configureBlocking(false);
        ByteBuffer bytes = ByteBuffer.allocateDirect(256 << 10);
        long sum = 0;
        long last = System.nanoTime();
        while (System.nanoTime() - last < 100_000_000L) {
            int count = channel.write(bytes.clear());
            if (count > 0) {
                sum += count;
                last = System.nanoTime();
            }
        }
        return sum;
    }

    Peer done() throws IOException {
        channel.shutdownOutput();
        return this;
    }

    /** As {@link #close}, in the middle of a conversation. */
    void hangUp() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
