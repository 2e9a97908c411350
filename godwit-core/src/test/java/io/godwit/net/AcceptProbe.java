// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A process that runs out of file descriptors while it accepts; prints what it saw. Started by {@link AcceptIT}. */
final class AcceptProbe {
    private static final int CLIENTS = 40;

    private AcceptProbe() {}

    public static void main(String[] args) throws IOException {
        try (Loop loop = new Loop()) {
            Listener listener = loop.listen("tcp:127.0.0.1:0");
            loop.pair(listener); // loads all classes while there are descriptors for it
            System.out.println(Reasons.of(new IOException("warm")));

            List<SocketChannel> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(SocketChannel.open(Peer.socket(listener.address())));
            }
            System.out.println(
                    "told " + loop.await(Loop.Told.AcceptFailed.class).reason());
            loop.rounds = 0;
            long end = System.nanoTime() + 1_000_000_000L;
            until(loop, () -> System.nanoTime() > end);
            System.out.println("rounds " + loop.rounds);
            System.out.println("told again "
                    + loop.told.stream()
                            .filter(Loop.Told.AcceptFailed.class::isInstance)
                            .count());
            for (SocketChannel client : clients) {
                client.close();
            }
            until(loop, () -> accepted(loop) == CLIENTS);
            System.out.println("accepted " + accepted(loop));
        }
    }

    private static long accepted(Loop loop) {
        for (Loop.Told one : loop.told) {
            if (one instanceof Loop.Told.Ended ended) {
                ended.connection().close();
            }
        }
        return loop.told.stream().filter(Loop.Told.Accepted.class::isInstance).count();
    }

    private static void until(Loop loop, BooleanSupplier so) {
        loop.until("the probe goes on", so);
    }
}
