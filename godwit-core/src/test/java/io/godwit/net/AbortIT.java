// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Aborts from other threads, at any moment of a connection's life, while both directions carry all they can. */
@Timeout(120)
class AbortIT {
    private static final int ROUNDS = 150;
    private static final int ABORTERS = 3;
    private static final long PATIENCE = 5_000_000_000L;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"tcp:127.0.0.1:0", "unix:"})
    void eachAbortIsToldOnceAndEndsThePeerToo(String address) throws Exception {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        Random random = new Random(seed);
        Flood flood = new Flood();
        try (Reactor reactor = new Reactor()) {
            Listener listener =
                    reactor.listen(Address.parse(address.equals("unix:") ? address + folder.resolve("s") : address));
            for (int round = 0; round < ROUNDS; round++) {
                String replay = "-Dgodwit.seed=%d, round %d".formatted(seed, round);
                flood.forget();
                Connection near = reactor.connect(listener.address());
                List<Thread> aborters = aborters(near, random);
                long deadline = System.nanoTime() + PATIENCE;
                while (!flood.isOver(near) && System.nanoTime() < deadline) {
                    reactor.poll(100_000_000, flood);
                }
                for (Thread aborter : aborters) {
                    aborter.join();
                }
                reactor.poll(0, flood);
                reactor.poll(0, flood);
                assertThat(flood.isOver(near)).as("%s: %s", replay, flood.ends).isTrue();
                assertThat(flood.ends.get(near)).as(replay).containsExactly("aborted");
                assertThat(near.isOpen()).as(replay).isFalse();
            }
        }
        assertThat(flood.lateCalls)
                .as("calls after the last word, -Dgodwit.seed=%d", seed)
                .isZero();
        assertThat(flood.bytes).isPositive();
    }

    private static List<Thread> aborters(Connection connection, Random random) {
        CyclicBarrier together = new CyclicBarrier(ABORTERS);
        long pause = random.nextInt(4) == 0 ? 0 : random.nextInt(3_000_000);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < ABORTERS; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    together.await();
                } catch (Exception broken) {
                    throw new IllegalStateException(broken);
                }
                LockSupport.parkNanos(pause);
                connection.abort("aborted");
            }));
        }
        return threads;
    }

    /** Both ends write whatever fits and read whatever comes. */
    private static final class Flood implements Handler {
        final IdentityHashMap<Connection, List<String>> ends = new IdentityHashMap<>();
        final ByteBuffer out = ByteBuffer.allocateDirect(64 << 10);
        final ByteBuffer in = ByteBuffer.allocateDirect(64 << 10);

        @Nullable
        Connection far;

        boolean connected;
        long bytes;
        int lateCalls;

        void forget() {
            ends.clear();
            far = null;
            connected = false;
        }

        /** The near end was told its end; the far one too, if there is one. */
        boolean isOver(Connection near) {
            return ends.containsKey(near) && (!connected || (far != null && ends.containsKey(far)));
        }

        private void end(Connection connection, String how) {
            ends.computeIfAbsent(connection, _ -> new ArrayList<>()).add(how);
        }

        @Override
        public void accepted(Listener listener, Connection connection) {
            if (far != null) {
                far.close(); // of a round before: its near end went before it was accepted
            }
            far = connection;
            connection.wantWrite(true);
        }

        @Override
        public void connected(Connection connection) {
            connected = true;
            connection.wantWrite(true);
        }

        @Override
        public void connectFailed(Connection connection, String reason) {
            end(connection, reason);
        }

        @Override
        public void readable(Connection connection) {
            check(connection);
            int count = connection.read(in.clear());
            if (count < 0) {
                end(connection, "end of stream");
                connection.close();
            } else {
                bytes += count;
            }
        }

        @Override
        public void writable(Connection connection) {
            check(connection);
            connection.write(out.clear());
        }

        @Override
        public void broken(Connection connection, String reason) {
            end(connection, reason);
        }

        @Override
        public void acceptFailed(Listener listener, String reason) {
            throw new AssertionError(reason);
        }

        private void check(Connection connection) {
            if (ends.containsKey(connection)) {
                lateCalls++;
            }
        }
    }
}
