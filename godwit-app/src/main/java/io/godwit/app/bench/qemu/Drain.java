// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.net.Address;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** A peer that takes one stream, on a thread of its own, and throws it away or keeps it in a file. */
final class Drain implements AutoCloseable {
    private static final int READ = 1 << 20;

    private final ServerSocketChannel server;
    private final @Nullable Path file;
    private final Thread thread;
    // The thread's until it has ended.
    private long bytes;
    private long first;
    private long last;
    private @Nullable IOException failure;

    /** @param file that it is kept in, or null */
    Drain(Address address, @Nullable Path file) throws IOException {
        this.server = Listening.at(address);
        this.file = file;
        this.thread = Thread.ofPlatform().daemon().name("godwit-bench-drain").start(this::take);
    }

    Address address() throws IOException {
        return Listening.of(server);
    }

    private void take() {
        try (SocketChannel from = server.accept();
                FileChannel to = file == null
                        ? null
                        : FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer in = ByteBuffer.allocateDirect(READ);
            for (int n = from.read(in); n >= 0; n = from.read(in.clear())) {
                if (bytes == 0) {
                    first = EventLog.now();
                }
                bytes += n;
                last = EventLog.now();
                in.flip();
                while (to != null && in.hasRemaining()) {
                    to.write(in);
                }
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    /** Waits for the end of the stream, which must have brought at least so much; how long it took from its first byte to its last, in microseconds. */
    long await(long least) throws BenchFailed {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts here", e);
        }
        IOException broken = failure;
        if (broken != null || bytes < least) {
            throw new BenchFailed("a stream ended after " + bytes + " bytes; it was to bring " + least, broken);
        }
        return Math.max(1, last - first);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
