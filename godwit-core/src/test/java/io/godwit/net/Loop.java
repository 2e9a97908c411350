// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** A reactor on the test's own thread that writes down what it is told. */
final class Loop implements AutoCloseable {

    /** One thing that a handler was told. */
    sealed interface Told {
        record Accepted(Listener listener, Connection connection) implements Told {}

        record Connected(Connection connection) implements Told {}

        record ConnectFailed(Connection connection, String reason) implements Told {}

        record Broken(Connection connection, String reason) implements Told {}

        record AcceptFailed(Listener listener, String reason) implements Told {}

        record Refused(Listener listener, String reason) implements Told {}

        record Ended(Connection connection) implements Told {}
    }

    private static final long PATIENCE_NANOS = 10_000_000_000L;

    final Reactor reactor;
    final List<Told> told = new ArrayList<>();
    private final List<Connection> heard = new ArrayList<>();
    private final List<StringBuilder> words = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(256 << 10);
    private final Handler handler = new Recorder();
    long bytesRead;
    int rounds;
    boolean failNext;

    /** A test that has no selector has nothing to test. */
    Loop() {
        try {
            reactor = new Reactor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Listener listen(String address) throws IOException {
        return reactor.listen(Address.parse(address));
    }

    /** Polls until it is so. */
    Loop until(String what, BooleanSupplier so) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!so.getAsBoolean()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                fail("never happened: %s; told so far: %s", what, told);
            }
            poll(Math.min(left, 50_000_000L));
        }
        return this;
    }

    int poll(long nanos) {
        rounds++;
        return reactor.poll(nanos, handler);
    }

    /** Polls until something of this kind was told, and takes it from the list. */
    <T extends Told> T await(Class<T> kind) {
        return await(kind, _ -> true);
    }

    <T extends Told> T await(Class<T> kind, Predicate<T> which) {
        until(kind.getSimpleName(), () -> told.stream().anyMatch(t -> kind.isInstance(t) && which.test(kind.cast(t))));
        for (Told one : told) {
            if (kind.isInstance(one) && which.test(kind.cast(one))) {
                told.remove(one);
                return kind.cast(one);
            }
        }
        throw new AssertionError();
    }

    /** A pair of connected ends, the one that connected first. */
    Connection[] pair(Listener listener) {
        Connection near = reactor.connect(listener.address());
        await(Told.Connected.class, c -> c.connection() == near);
        Connection far = await(Told.Accepted.class).connection();
        return new Connection[] {near, far};
    }

    void say(Connection to, String text) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            if (to.write(bytes) == 0) {
                fail("'%s' could not be written to %s", text, to);
            }
        }
    }

    String heard(Connection from) {
        int at = heard.indexOf(from);
        return at < 0 ? "" : words.get(at).toString();
    }

    void hear(Connection from, String text) {
        until("to hear '" + text + "'", () -> heard(from).equals(text));
    }

    @Override
    public void close() {
        reactor.close();
    }

    private final class Recorder implements Handler {
        @Override
        public void accepted(Listener listener, Connection connection) {
            told.add(new Told.Accepted(listener, connection));
        }

        @Override
        public void connected(Connection connection) {
            told.add(new Told.Connected(connection));
        }

        @Override
        public void connectFailed(Connection connection, String reason) {
            told.add(new Told.ConnectFailed(connection, reason));
        }

        @Override
        public void readable(Connection connection) {
            if (failNext) {
                failNext = false;
                throw new IllegalStateException("as the test wants it");
            }
            int count = connection.read(buffer.clear());
            if (count < 0) {
                told.add(new Told.Ended(connection));
            } else if (count > 0) {
                bytesRead += count;
                int at = heard.indexOf(connection);
                if (at < 0) {
                    at = heard.size();
                    heard.add(connection);
                    words.add(new StringBuilder());
                }
                StringBuilder into = words.get(at);
                if (into.length() < 1000) {
                    into.append(StandardCharsets.US_ASCII.decode(buffer.flip().limit(Math.min(count, 1000))));
                }
            }
        }

        @Override
        public void writable(Connection connection) {
            connection.wantWrite(false);
        }

        @Override
        public void broken(Connection connection, String reason) {
            told.add(new Told.Broken(connection, reason));
        }

        @Override
        public void acceptFailed(Listener listener, String reason) {
            told.add(new Told.AcceptFailed(listener, reason));
        }

        @Override
        public void refused(Listener listener, String reason) {
            told.add(new Told.Refused(listener, reason));
        }
    }
}
