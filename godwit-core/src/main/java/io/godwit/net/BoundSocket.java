// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.UnixSocket;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;

/**
 * A listening socket for those who accept on threads of their own instead of on a {@link Reactor}. A unix socket's file gets mode 0600; one
 * that a dead process left is replaced, a live one's is not. Whoever connects to a unix socket may hand over descriptors.
 */
public sealed interface BoundSocket extends AutoCloseable permits BoundTcp, BoundUnix {
    /** @throws IOException with a sentence: the address, what is wrong and what to do */
    static BoundSocket bind(Address address) throws IOException {
        return switch (address) {
            case Address.Tcp tcp -> new BoundTcp(Binding.bind(tcp));
            case Address.Unix unix -> bindUnix(unix);
        };
    }

    private static BoundSocket bindUnix(Address.Unix unix) throws IOException {
        SocketFile.makeWay(unix);
        UnixSocket socket = UnixSocket.open(unix.toString());
        try {
            return new BoundUnix(unix, socket, SocketFile.bind(path -> socket.listen(path, Binding.BACKLOG), unix));
        } catch (IOException failed) {
            socket.close();
            throw failed;
        }
    }

    /** Where it listens, with the port that the system chose. */
    Address address();

    /**
     * Waits for somebody who connects.
     *
     * @throws ClosedChannelException once it is closed
     */
    BlockingSocket accept() throws IOException;

    /** The kind of thread that may wait here. */
    Thread.Builder thread();

    /** Ends every accept, and removes a unix socket's file if it is still the one that was made here. */
    @Override
    void close() throws IOException;
}
