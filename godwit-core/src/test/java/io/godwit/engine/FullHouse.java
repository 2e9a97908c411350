// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.Address;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;

/** A tcp port that neither takes nor refuses a connection: its queue is full, and the kernel lets further ones wait. */
final class FullHouse implements Closeable {
    private static final int CONNECT_MILLIS = 100;

    private final ServerSocket door;
    private final List<Socket> queue = new ArrayList<>();

    FullHouse() throws IOException {
        door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        boolean full = false;
        while (!full) {
            Socket next = new Socket();
            queue.add(next);
            try {
                next.connect(new InetSocketAddress(door.getInetAddress(), door.getLocalPort()), CONNECT_MILLIS);
            } catch (SocketTimeoutException waits) {
                full = true;
            }
        }
    }

    Address address() {
        return new Address.Tcp("127.0.0.1", door.getLocalPort());
    }

    @Override
    public void close() throws IOException {
        for (Socket waiting : queue) {
            waiting.close();
        }
        door.close();
    }
}
