// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SocketChannel;
import jdk.net.ExtendedSocketOptions;

/** Opens and tunes stream sockets. */
final class Sockets {
    // A dead host is known after 10 + 3 * 5 = 25 s without a word from the engine; its own PINGs are faster, but
    // nothing else would ever end an idle connection to a host that lost its power.
    private static final int KEEP_IDLE_SECONDS = 10;
    private static final int KEEP_INTERVAL_SECONDS = 5;
    private static final int KEEP_COUNT = 3;

    /** What a close reads away at most, so that the system says goodbye in order; see {@link Connection#close()}. */
    private static final int DRAIN_BYTES = 1 << 20;

    private Sockets() {}

    /** A non-blocking channel of the right family, not connected. */
    static SocketChannel open(SocketAddress to) throws IOException {
        SocketChannel channel = to instanceof UnixDomainSocketAddress
                ? SocketChannel.open(StandardProtocolFamily.UNIX)
                : SocketChannel.open();
        try {
            tune(channel, to);
            return channel;
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    /** Non-blocking; on tcp: no waiting for full packets, and keep-alive. */
    static void tune(SocketChannel channel, SocketAddress family) throws IOException {
        channel.configureBlocking(false);
        if (family instanceof UnixDomainSocketAddress) {
            return;
        }
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        channel.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEP_IDLE_SECONDS);
        channel.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEP_INTERVAL_SECONDS);
        channel.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEP_COUNT);
    }

    /** The literal form, without the scope of a link-local address (it means something on its own host only). */
    static Address.Tcp address(InetSocketAddress socket) {
        InetAddress ip = socket.getAddress();
        String host = ip.getHostAddress();
        int scope = host.indexOf('%');
        return new Address.Tcp(
                ip instanceof Inet6Address && scope > 0 ? host.substring(0, scope) : host, socket.getPort());
    }

    /** Says that nothing more will be written. */
    static void endOutput(SocketChannel channel) {
        try {
            channel.shutdownOutput();
        } catch (IOException | NotYetConnectedException gone) {
            // Closed by its owner, or lost: the peer knows, or never will. Nothing is left to be said to it.
        }
    }

    /** Reads away what has come. */
    static void drain(SocketChannel from, ByteBuffer scratch) throws IOException {
        int left = DRAIN_BYTES;
        int count = 1;
        while (left > 0 && count > 0) {
            count = from.read(scratch.clear());
            left -= count;
        }
    }

    static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException failed) {
            // A close that fails has closed: the descriptor is gone, and the bytes are the peer's loss to report.
        }
    }
}
