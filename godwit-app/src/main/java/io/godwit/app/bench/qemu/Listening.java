// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.net.Address;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;

/** Java's sockets at Godwit's addresses. */
final class Listening {
    private Listening() {}

    static SocketAddress socket(Address address) {
        return switch (address) {
            case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
            case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
        };
    }

    static ServerSocketChannel at(Address address) throws IOException {
        SocketAddress socket = socket(address);
        ServerSocketChannel server = socket instanceof UnixDomainSocketAddress
                ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                : ServerSocketChannel.open();
        server.bind(socket);
        return server;
    }

    /** Where it listens. */
    static Address of(ServerSocketChannel server) throws IOException {
        return switch (server.getLocalAddress()) {
            case UnixDomainSocketAddress unix -> new Address.Unix(unix.getPath());
            case InetSocketAddress tcp -> new Address.Tcp(tcp.getAddress().getHostAddress(), tcp.getPort());
            default -> throw new IllegalStateException("listens nowhere");
        };
    }
}
