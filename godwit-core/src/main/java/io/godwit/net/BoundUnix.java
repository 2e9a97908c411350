// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.UnixSocket;
import java.io.IOException;

/** Its waits hold a thread in the kernel. */
record BoundUnix(Address address, UnixSocket socket, SocketFile file) implements BoundSocket {
    @Override
    public BlockingSocket accept() throws IOException {
        return new BlockingSocket.Handing(socket.accept());
    }

    @Override
    public Thread.Builder thread() {
        return Thread.ofPlatform().daemon();
    }

    @Override
    public void close() throws IOException {
        try {
            file.removeIfOurs();
        } finally {
            socket.close();
        }
    }
}
