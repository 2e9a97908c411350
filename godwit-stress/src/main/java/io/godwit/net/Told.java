// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.util.Objects;

/** What a connection's owner was told of its end. */
final class Told {
    int calls;
    String reason = "";

    private void end(String why) {
        calls++;
        reason = why;
    }

    private static Told of(Connection connection) {
        return (Told) Objects.requireNonNull(connection.attachment());
    }

    static final Handler HANDLER = new Handler() {
        @Override
        public void accepted(Listener listener, Connection connection) {
            throw new AssertionError("nobody listens");
        }

        @Override
        public void connected(Connection connection) {
            throw new AssertionError("nobody connects");
        }

        @Override
        public void connectFailed(Connection connection, String reason) {
            of(connection).end(reason);
        }

        @Override
        public void readable(Connection connection) {
            throw new AssertionError("nothing can be read");
        }

        @Override
        public void writable(Connection connection) {
            throw new AssertionError("nothing waits to be written");
        }

        @Override
        public void broken(Connection connection, String reason) {
            of(connection).end(reason);
        }

        @Override
        public void acceptFailed(Listener listener, String reason) {
            throw new AssertionError("nobody listens");
        }
    };
}
