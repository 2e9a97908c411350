// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * How one connection comes to its end: who said so first, and why; what its peer said before it went away; how the system is told.
 *
 * <p>Any thread may {@link #begin} it and ask whether it has begun; the rest is the owner's.
 */
final class Ending {

    /** So many times the owner is asked to read on after a write failed. */
    private static final int LAST_READS = 64;

    /** @param lastReads what the peer sent before it went away shall still be read */
    record Why(String reason, boolean reset, boolean lastReads) {
        /** In order: the peer reads the end behind what was written. */
        static Why order(String reason) {
            return new Why(reason, false, false);
        }

        /** Like a network that is gone: what has not arrived is thrown away. */
        static Why reset(String reason) {
            return new Why(reason, true, false);
        }

        /** Nothing can be written any more; an answer, a final word may wait in the kernel behind that. */
        static Why unwritable(String reason) {
            return new Why(reason, false, true);
        }
    }

    private final AtomicReference<@Nullable Why> why = new AtomicReference<>();
    private @Nullable String lastWord;
    private boolean heard;
    private int readsLeft = LAST_READS;

    /** False if it has begun before: the first reason counts. */
    boolean begin(Why first) {
        return why.compareAndSet(null, first);
    }

    boolean begun() {
        return why.get() != null;
    }

    /** Whether there may be something left to read. */
    boolean mayRead() {
        @Nullable Why now = why.get();
        return now == null || now.lastReads;
    }

    /** The peer said something. */
    void heard() {
        heard = true;
    }

    /** The peer said why it goes, or what it said shows that. */
    void lastWord(String reason) {
        lastWord = reason;
    }

    /** Whether the owner shall be asked to read once more; {@link #wentOn} says whether that brought anything. */
    boolean asksForMore() {
        heard = false;
        return mayRead() && readsLeft-- > 0;
    }

    /** Whether anything was heard since {@link #asksForMore}. */
    boolean wentOn() {
        return heard;
    }

    boolean resets() {
        return begunWhy().reset;
    }

    /** What the owner is told. Why the peer has gone, if it said so, tells more than that it could not be written to. */
    String reason() {
        Why now = begunWhy();
        return now.lastReads && lastWord != null ? lastWord : now.reason;
    }

    private Why begunWhy() {
        return Objects.requireNonNull(why.get());
    }

    /** As soon as it has begun, by whoever began it: the peer may read the end. */
    void shut(SocketChannel channel) {
        Why now = begunWhy();
        // A reset must not be preceded by an orderly end. After a failed write the other direction is still needed.
        if (!now.reset && !now.lastReads) {
            Sockets.endOutput(channel);
        }
    }

    /**
     * Before the close, in order: what the peer sent is read away, since the kernel would answer it with a reset, and a reset takes back what was written.
     *
     * @param session says its own end first, unless the connection was given up
     */
    void sayGoodbye(SocketChannel channel, @Nullable TlsStream session, OtherEnd peer, ByteBuffer scratch)
            throws IOException {
        if (session != null && !begun()) {
            session.end(channel);
        }
        Sockets.endOutput(channel);
        Sockets.drain(channel, scratch);
        if (peer.is(OtherEnd.Kind.LOCAL)) {
            // The ferry knows by this that nobody is here any more; the close itself may be late, see Reactor.purge.
            channel.shutdownInput();
        }
    }

    /** Before the close, without a goodbye: what has not arrived is thrown away. */
    static void throwAway(SocketChannel channel, OtherEnd peer) throws IOException {
        if (peer.is(OtherEnd.Kind.TCP)) {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
    }
}
