// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** How fast the demo's chain is: source → unix → relay (a) → tcp → relay (b) → unix → destination. Run by hand. */
final class RelayBench {
    private RelayBench() {}

    public static void main(String[] args) throws Exception {
        long total = Long.parseLong(args[0]) << 20;
        boolean relayed = args.length < 2 || !args[1].equals("direct");
        Path folder = Files.createTempDirectory("relay");
        try (ServerSocketChannel target = Peer.server("unix:" + folder.resolve("dst"))) {
            Relay b = Relay.start(Address.parse("tcp:127.0.0.1:0"), Peer.addressOf(target));
            Relay a = Relay.start(Address.parse("unix:" + folder.resolve("src")), b.address());
            try (a;
                    b) {
                for (int round = 0; round < 5; round++) {
                    Peer source = Peer.connect(relayed ? a.address() : Peer.addressOf(target));
                    Peer destination = Peer.accept(target);
                    Thread reader = Thread.ofPlatform().start(destination::hearOutDirect);
                    long start = System.nanoTime();
                    write(source.channel(), total);
                    source.done();
                    reader.join();
                    double seconds = (System.nanoTime() - start) / 1e9;
                    System.out.printf("%.2f GB/s%n", total / seconds / 1e9);
                    source.close();
                    destination.close();
                }
            }
        } finally {
            Files.deleteIfExists(folder.resolve("dst"));
            Files.delete(folder);
        }
    }

    private static void write(SocketChannel to, long total) throws Exception {
        ByteBuffer bytes = ByteBuffer.allocateDirect(256 << 10);
        for (long left = total; left > 0; ) {
            if (!bytes.hasRemaining()) {
                bytes.clear();
            }
            left -= to.write(bytes);
        }
    }
}
