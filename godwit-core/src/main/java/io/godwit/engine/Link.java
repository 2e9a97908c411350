// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.Connection;
import io.godwit.pump.Outbox;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One connection of an endpoint: its number, its unread bytes, and how it ends. Used by the loop only. */
final class Link {
    /** Bytes read at once; also the most that a decoder may leave unconsumed. */
    static final int BUFFER = 512 * 1024;

    /** Which session it belongs to. */
    enum Side {
        SOURCE,
        DESTINATION,
        /** No session's any more: what is left is written, then it is closed. */
        LEAVING
    }

    final int id;
    final Connection connection;
    final ByteBuffer in;
    Side side;
    boolean established;
    /** Unconsumed bytes fill the buffer, or wait for their time. */
    boolean held;

    @Nullable
    Outbox rest;

    long leaveBy = Long.MAX_VALUE;
    boolean outputShut;

    Link(int id, Connection connection, Side side, ByteBuffer in) {
        this.id = id;
        this.connection = connection;
        this.side = side;
        this.in = in;
    }
}
