// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;

/**
 * Who is at the other end of a {@link Connection}. Any thread.
 *
 * @param name for messages: an address, or "a client of unix:PATH"
 */
record OtherEnd(String name, Kind kind) {
    enum Kind {
        TCP,
        UNIX,
        /** Something of this host's own, behind a {@link Ferry}. */
        LOCAL
    }

    static OtherEnd at(MigrationAddress address) {
        return new OtherEnd(address.toString(), kind(address));
    }

    /** Whoever has connected to a listener. */
    static OtherEnd of(SocketChannel accepted, Address listener) throws IOException {
        String name = accepted.getRemoteAddress() instanceof InetSocketAddress inet
                ? Sockets.address(inet).toString()
                : "a client of " + listener;
        return new OtherEnd(name, kind(listener));
    }

    private static Kind kind(MigrationAddress address) {
        return switch (address) {
            case Address.Tcp _ -> Kind.TCP;
            case Address.Unix _ -> Kind.UNIX;
            case MigrationAddress.Local _ -> Kind.LOCAL;
        };
    }

    boolean is(Kind other) {
        return kind == other;
    }
}
