// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import io.godwit.net.Address;
import io.godwit.net.Connection;
import io.godwit.net.Handler;
import io.godwit.net.Listener;
import io.godwit.net.Reactor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Answers lines from any number of connections, on the thread that calls {@link #run}. A client that sends a line that
 * never ends, or never reads its answers, is dropped.
 */
final class ControlServer implements AutoCloseable {
    private static final int LONGEST_LINE = 4096;
    private static final int LONGEST_ANSWERS = 64 << 10;

    private final Reactor reactor;
    private final UnaryOperator<String> answers;
    private volatile boolean ending;

    /**
     * @param where to listen; null: nowhere, it only waits to be told to end
     * @throws IOException with a sentence, if it cannot listen
     */
    ControlServer(@Nullable Address where, UnaryOperator<String> answers) throws IOException {
        this.reactor = new Reactor();
        this.answers = answers;
        if (where != null) {
            try {
                reactor.listen(where);
            } catch (IOException failed) {
                reactor.close();
                throw failed;
            }
        }
    }

    /** Serves until {@link #end()}. */
    void run() {
        Handler sessions = new Sessions();
        while (!ending) {
            reactor.poll(-1, sessions);
        }
    }

    /** Lets {@link #run} return after what it is doing. Any thread. */
    void end() {
        ending = true;
        reactor.wakeup();
    }

    @Override
    public void close() {
        reactor.close();
    }

    /** What one client has sent and has not been sent yet. */
    private static final class Session {
        private final ByteBuffer in = ByteBuffer.allocate(LONGEST_LINE);
        private final ByteBuffer out = ByteBuffer.allocate(LONGEST_ANSWERS).limit(0);
        private boolean ended;

        /** The next whole line without its end; at the end of the stream also one without an end. */
        @Nullable
        String nextLine() {
            in.flip();
            for (int i = 0; i < in.limit(); i++) {
                if (in.get(i) == '\n') {
                    return take(i, 1);
                }
            }
            if (ended && in.hasRemaining()) {
                return take(in.limit(), 0);
            }
            in.compact();
            return null;
        }

        private String take(int length, int end) {
            String line = StandardCharsets.UTF_8.decode(in.slice(0, length)).toString();
            in.position(length + end).compact();
            return line;
        }

        /** False if there is no room for it. */
        boolean say(String answer) {
            byte[] bytes = (answer.stripTrailing() + "\n").getBytes(StandardCharsets.UTF_8);
            out.compact();
            boolean fits = bytes.length <= out.remaining();
            if (fits) {
                out.put(bytes);
            }
            out.flip();
            return fits;
        }
    }

    private final class Sessions implements Handler {
        @Override
        public void accepted(Listener listener, Connection connection) {
            connection.attach(new Session());
        }

        @Override
        public void readable(Connection connection) {
            if (!(connection.attachment() instanceof Session session)) {
                throw new IllegalStateException("a connection without a session");
            }
            if (!session.in.hasRemaining()) {
                connection.abort("a line of more than " + LONGEST_LINE + " bytes");
                return;
            }
            session.ended = connection.read(session.in) < 0;
            for (String line = session.nextLine(); line != null; line = session.nextLine()) {
                if (!line.isBlank() && !session.say(answers.apply(line))) {
                    connection.abort("the answers are not read");
                    return;
                }
            }
            flush(connection, session);
        }

        @Override
        public void writable(Connection connection) {
            if (connection.attachment() instanceof Session session) {
                flush(connection, session);
            }
        }

        private void flush(Connection connection, Session session) {
            connection.write(session.out);
            connection.wantWrite(session.out.hasRemaining());
            if (session.ended && !session.out.hasRemaining()) {
                connection.close();
            }
        }

        // The rest of what a reactor tells has no consequence here: this server connects to nobody, a client that is
        // lost needs nothing, and a listener that cannot accept is tried again by the reactor itself.

        @Override
        public void connected(Connection connection) {}

        @Override
        public void connectFailed(Connection connection, String reason) {}

        @Override
        public void broken(Connection connection, String reason) {}

        @Override
        public void acceptFailed(Listener listener, String reason) {}
    }
}
