// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Two ends of one connected unix socket: one that a selector can wait for, one that {@code poll} can. Java has no way to make a channel of a descriptor, so they meet in a
 * folder that only this user can enter, and that is gone again at once.
 */
record Quay(SocketChannel channel, Descriptor near) {

    /** @throws IOException with a part of a sentence */
    static Quay make(String name) throws IOException {
        Path folder = Files.createTempDirectory("godwit");
        Path path = folder.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path), 1);
            Descriptor near = Descriptor.connect(path, name);
            try {
                return new Quay(server.accept(), near.nonBlocking());
            } catch (IOException failed) {
                near.close();
                throw failed;
            }
        } finally {
            Files.deleteIfExists(path);
            Files.delete(folder);
        }
    }
}
