// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A listening socket before anybody waits for it.
 *
 * @param address the real one
 * @param file of a unix socket
 */
record Binding(
        Address address,
        ServerSocketChannel channel,
        @Nullable SocketFile file) {

    /** More than any burst of retrying peers; the system caps it. */
    static final int BACKLOG = 128;

    /** @throws IOException with a sentence: the address, what is wrong and what to do */
    static Binding bind(Address address) throws IOException {
        return switch (address) {
            case Address.Tcp tcp -> bindTcp(tcp);
            case Address.Unix unix -> bindUnix(unix);
        };
    }

    private static Binding bindTcp(Address.Tcp tcp) throws IOException {
        InetSocketAddress socket;
        try {
            socket = tcp.host().isEmpty()
                    ? new InetSocketAddress(tcp.port())
                    : new InetSocketAddress(InetAddress.getByName(tcp.host()), tcp.port());
        } catch (UnknownHostException unknown) {
            throw new IOException("cannot listen on " + tcp + ": no address is known for this host name", unknown);
        }
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(socket, BACKLOG);
            int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
            return new Binding(new Address.Tcp(tcp.host(), port), channel, null);
        } catch (IOException failed) {
            channel.close();
            throw new IOException("cannot listen on " + tcp + ": " + why(failed), failed);
        }
    }

    private static String why(IOException failed) {
        if (!(failed instanceof BindException)) {
            return Reasons.of(failed);
        }
        return switch (String.valueOf(failed.getMessage())) {
            case "Address already in use" -> "the port is in use, choose another or end the one that has it";
            case "Cannot assign requested address" -> "this host has no such address";
            case "Permission denied" -> "no permission for this port, use one above 1023";
            default -> Reasons.of(failed);
        };
    }

    private static Binding bindUnix(Address.Unix unix) throws IOException {
        SocketFile.makeWay(unix);
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            return new Binding(
                    unix,
                    channel,
                    SocketFile.bind(path -> channel.bind(UnixDomainSocketAddress.of(path), BACKLOG), unix));
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    void undo() throws IOException {
        if (file != null) {
            file.removeIfOurs();
        }
        channel.close();
    }
}
