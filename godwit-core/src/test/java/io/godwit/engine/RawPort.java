// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.page.BlockTable;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Where a destination that is not ours listens. */
final class RawPort implements Closeable {
    private final ServerSocketChannel server;
    private final Address.Unix address;
    private final BlockTable blocks;

    RawPort(Path path, BlockTable blocks) throws IOException {
        this.blocks = blocks;
        address = new Address.Unix(path);
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(Raw.socket(address));
        server.configureBlocking(false);
    }

    Address address() {
        return address;
    }

    /** The next one that connects. */
    Raw accept() throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Diary.PATIENCE_SECONDS);
        SocketChannel accepted = server.accept();
        while (accepted == null) {
            assertThat(System.nanoTime()).as("waiting for somebody to connect").isLessThan(end);
            LockSupport.parkNanos(100_000);
            accepted = server.accept();
        }
        return new Raw(accepted, blocks);
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(address.path());
    }
}
