// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Carries bytes between a {@link Connection} and what no selector can wait for: a command's pipes, a file, an inherited descriptor. It has a thread of its own, which waits in
 * one place for both sides and for the command's end, and blocks nowhere else but on a disk. The loop sees a socket, so whatever can be done to a connection can be done to this
 * one at once: an abort needs nothing of a command that does not read.
 *
 * <p>Going out, the connection reads the end of the stream only after its own end has come through: the file is synced, the command has ended with exit code 0. Whatever else
 * happens is told as the connection's loss. Once the connection is closed the rest has {@link #GRACE_NANOS} to come through; then a command is asked to end, and soon killed.
 */
final class Ferry implements Runnable {
    /** Which way the migration goes. */
    enum Way {
        OUT,
        IN
    }

    private static final System.Logger LOG = System.getLogger(Ferry.class.getName());

    /** How long a command may take for what is left once nobody is here any more, and then once more after it was asked to end. */
    static final long GRACE_NANOS = 2_000_000_000L;

    private final Reactor reactor;
    private final Connection connection;
    private final MigrationAddress.Local address;
    private final Way way;
    private volatile @Nullable SocketChannel channel;

    private Ferry(Reactor reactor, Connection connection, MigrationAddress.Local address, Way way) {
        this.reactor = reactor;
        this.connection = connection;
        this.address = address;
        this.way = way;
    }

    /** Begins, in a thread of its own: also opening a file or starting a command can take long. */
    static void depart(Reactor reactor, Connection connection, MigrationAddress.Local address, Way way) {
        AtExit.start(new Ferry(reactor, connection, address, way));
    }

    @Override
    public void run() {
        Quay made;
        FarSide far;
        try {
            made = Quay.make(connection.toString());
        } catch (IOException failed) {
            FarSide.forget(address);
            connection.fail("cannot use " + address + ": " + Reasons.of(failed));
            return;
        }
        try {
            far = FarSide.open(address, way);
        } catch (IOException | RuntimeException | Error failed) {
            connection.fail("cannot use " + address + ": " + failed.getMessage());
            Sockets.closeQuietly(made.channel());
            closeQuietly(made.near());
            return;
        }
        channel = made.channel();
        reactor.post(new Arrived(reactor, connection, made.channel()));
        try (Crossing crossing = new Crossing(address.toString(), way, made.near(), far, this::lost)) {
            crossing.go();
        } catch (IOException | RuntimeException | Error failed) {
            lost(address + ": " + failed.getMessage());
            LOG.log(System.Logger.Level.ERROR, "the ferry to " + address + " has sunk", failed);
        }
    }

    /** Told behind the channel's arrival, else what came over it would not be heard. */
    private void lost(String reason) {
        reactor.post(_ -> connection.failBeyond(reason));
    }

    /** The process ends: nobody will be at this shore any more. Any thread. */
    void strand() {
        SocketChannel shore = channel;
        if (shore != null) {
            try {
                // Not a close: as long as a selector knows the channel that would end one direction only.
                shore.shutdownInput();
                shore.shutdownOutput();
            } catch (IOException gone) {
                // Closed by its owner: that is what was wanted.
            }
        }
    }

    static void closeQuietly(Descriptor descriptor) {
        try {
            descriptor.close();
        } catch (IOException failed) {
            // Linux has let go of the number all the same, and a file was synced before.
        }
    }

    /** Tells the loop that the channel is there. */
    private record Arrived(Reactor reactor, Connection connection, SocketChannel channel) implements Posted {
        @Override
        public void deliver(Handler handler) {
            if (connection.isEnding()) {
                Sockets.closeQuietly(channel);
                return;
            }
            try {
                channel.configureBlocking(false);
                connection.open(channel, channel.register(reactor.selector(), 0), null);
            } catch (IOException failed) {
                Sockets.closeQuietly(channel);
                connection.fail(connection.peer() + ": " + Reasons.of(failed));
                return;
            }
            handler.connected(connection);
        }

        @Override
        public void drop() {
            Sockets.closeQuietly(channel);
        }
    }

    /** Sees to it that no command outlives this process: they get the time that a closed connection would give them. */
    private static final class AtExit {
        private static final Map<Ferry, Thread> UNDERWAY = new ConcurrentHashMap<>();

        static {
            Runtime.getRuntime().addShutdownHook(new Thread(AtExit::land, "godwit-ferries"));
        }

        static void start(Ferry ferry) {
            Thread thread = Thread.ofPlatform().daemon().name("godwit-ferry").unstarted(() -> {
                try {
                    ferry.run();
                } finally {
                    UNDERWAY.remove(ferry);
                }
            });
            UNDERWAY.put(ferry, thread);
            thread.start();
        }

        private static void land() {
            UNDERWAY.keySet().forEach(Ferry::strand);
            long end = System.nanoTime() + 3 * GRACE_NANOS;
            for (Thread thread : UNDERWAY.values()) {
                try {
                    thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                } catch (InterruptedException hurried) {
                    return; // somebody wants the process to end now
                }
            }
        }
    }
}
