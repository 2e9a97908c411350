// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One byte stream to a peer, over tcp or a unix socket, or by a {@link Ferry} to or from something of this host's own. Made by {@link Reactor#connect} and
 * {@link Reactor#receive}, or told by {@link Handler#accepted}.
 *
 * <p>Everything is called on the reactor's owner thread, but {@link #abort}, {@link #reset}, {@link #peer} and
 * {@link #toString}, which any thread may call. Nothing blocks and nothing throws for a lost peer: whatever goes wrong
 * arrives as one {@link Handler#broken}.
 */
public final class Connection {
    private final Reactor reactor;
    private final OtherEnd peer;
    private final Ending ending = new Ending();

    /** Set once by the owner, when the connection is there. Others only shut it down. */
    private volatile @Nullable SocketChannel channel;

    private volatile boolean closed;

    // The owner's from here on.
    private @Nullable Registered connector;
    private @Nullable TlsStream tls;
    private boolean readingOn;
    private boolean shutWhenFlushed;
    private final Interest interest = new Interest();
    private final Posted readOn = this::readOn;
    private @Nullable Object attachment;

    /** One that is not open yet. */
    Connection(Reactor reactor, OtherEnd peer) {
        this.reactor = reactor;
        this.peer = peer;
    }

    /** What is dropped with it if it ends before it is there. */
    void connectsBy(Registered how) {
        connector = how;
    }

    /**
     * The channel is there; its key has no interest yet. From here on the peer can be spoken to.
     *
     * @param session whose handshake is over; null for plain bytes
     */
    void open(SocketChannel opened, SelectionKey registered, @Nullable TlsStream session) {
        registered.attach(new Readiness());
        interest.register(registered);
        connector = null;
        tls = session;
        channel = opened;
        updateInterest();
        readOn();
        if (ending.begun()) {
            ending.shut(opened); // aborted by a thread that saw no channel yet
        }
    }

    /** Who is at the other end, for messages: an address, or "a client of unix:PATH". Any thread. */
    public String peer() {
        return peer.name();
    }

    /**
     * Whether the end of the stream (-1 from {@link #read}), after {@link #shutdownOutput}, says that all that was written has come to where it should: on the disk, or to a
     * command that ended well. A network's peer may end for any reason.
     */
    public boolean confirms() {
        return peer.is(OtherEnd.Kind.LOCAL);
    }

    /** Over a unix socket. */
    public boolean isUnix() {
        return peer.is(OtherEnd.Kind.UNIX);
    }

    /** What it means that {@link #read} gave -1, as a sentence without a beginning. */
    public String endWords() {
        return "the peer ended the connection"
                + (tls != null && !tls.heard()
                        ? " after the TLS handshake and before it said anything: it may not accept this side's certificate, or await no TLS"
                        : "");
    }

    /** What the owner hung on it. */
    public @Nullable Object attachment() {
        return attachment;
    }

    /** Hangs something of the owner's on it. */
    public void attach(@Nullable Object anything) {
        attachment = anything;
    }

    /** Whether it is there and nobody has closed, aborted or lost it. Any thread; the answer may be old at once. */
    public boolean isOpen() {
        return channel != null && !isEnding();
    }

    /** Closed, or about to be. */
    boolean isEnding() {
        return closed || ending.begun();
    }

    /**
     * Reads what is there, into a direct buffer (a heap buffer costs a copy).
     *
     * @return bytes read, at least 1; 0: nothing just now, or the connection is lost and {@link Handler#broken} comes;
     *     -1: the peer will send no more. After -1 {@link Handler#readable} comes no more, and writing goes on
     */
    public int read(ByteBuffer into) {
        @Nullable SocketChannel from = channel;
        if (from == null || closed || !ending.mayRead()) {
            return 0;
        }
        try {
            int count = tls == null ? from.read(into) : tls.read(from, into);
            if (count > 0) {
                ending.heard();
            } else if (count < 0) {
                interest.endOfStream();
            }
            if (tls != null) {
                readOn();
            }
            if (count < 0 || tls != null) {
                updateInterest(); // a session may have an answer to send
            }
            return count;
        } catch (IOException failed) {
            String why = peer.name() + ": " + TlsReasons.of(failed);
            if (failed instanceof SSLException) {
                ending.lastWord(why);
            }
            fail(why);
            return 0;
        }
    }

    /** A session may hold what the selector does not know of. */
    private void readOn() {
        if (tls != null && !readingOn && interest.reads() && tls.hasMore()) {
            readingOn = true;
            reactor.post(readOn);
        }
    }

    private void readOn(Handler handler) {
        readingOn = false;
        if (!isEnding() && interest.reads()) {
            handler.readable(this);
        }
    }

    /**
     * Writes what the system takes, from a direct buffer (a heap buffer costs a copy).
     *
     * @return bytes written; 0: no room just now (see {@link #wantWrite}), or the connection is lost and
     *     {@link Handler#broken} comes, after what the peer sent before has been read
     */
    public int write(ByteBuffer from) {
        @Nullable SocketChannel into = channel;
        if (into == null || isEnding()) {
            return 0;
        }
        try {
            return tls == null ? into.write(from) : tls.write(into, from);
        } catch (IOException failed) {
            end(Ending.Why.unwritable(peer.name() + ": " + TlsReasons.of(failed)));
            return 0;
        }
    }

    /** Whether {@link Handler#writable} shall come; off at first. */
    public void wantWrite(boolean want) {
        interest.wantWrite(want);
        updateInterest();
    }

    /**
     * Whether {@link Handler#readable} shall come; on at first. While a connection wants neither to be read nor written
     * the system reports nothing of it, so the loss of its peer stays unknown.
     */
    public void wantRead(boolean want) {
        interest.wantRead(want);
        updateInterest();
        readOn();
    }

    private void updateInterest() {
        if (!closed) {
            interest.tell(tls != null && tls.owesOwn());
        }
    }

    /**
     * Sets the system's send buffer (SO_SNDBUF; the system doubles it). What waits there delays an urgent page, so it
     * is kept shallow in postcopy; setting it turns the system's own tuning off.
     */
    public void setSendBuffer(int bytes) {
        @Nullable SocketChannel to = channel;
        if (to == null || isEnding()) {
            return;
        }
        try {
            to.setOption(StandardSocketOptions.SO_SNDBUF, bytes);
        } catch (IOException failed) {
            fail(peer.name() + ": the send buffer cannot be set: " + Reasons.of(failed));
        }
    }

    /** Says that nothing more will be written; what was written still arrives, then the peer reads the end. */
    public void shutdownOutput() {
        @Nullable SocketChannel to = channel;
        if (to == null || isEnding()) {
            return;
        }
        wantWrite(false);
        if (tls == null) {
            Sockets.endOutput(to);
            return;
        }
        shutWhenFlushed = true;
        try {
            tls.end(to);
            flushed(tls, to);
        } catch (IOException failed) {
            fail(peer.name() + ": " + TlsReasons.of(failed));
        }
    }

    /** What a session has to say of its own was written, or some of it. */
    private void flushed(TlsStream session, SocketChannel to) {
        if (shutWhenFlushed && !session.owes()) {
            shutWhenFlushed = false;
            Sockets.endOutput(to);
        }
        updateInterest();
    }

    private void flush(TlsStream session) {
        SocketChannel to = Objects.requireNonNull(channel);
        try {
            session.flush(to);
            flushed(session, to);
        } catch (IOException failed) {
            end(Ending.Why.unwritable(peer.name() + ": " + TlsReasons.of(failed)));
        }
    }

    /**
     * Ends the connection from any thread, any number of times; the first reason counts. No thread is interrupted.
     *
     * <p>The peer reads the end of the stream behind what was written before: bytes in the kernel are <em>not</em> taken
     * back, because after the commit point they may be what the guest lives by. The owner's next poll closes the
     * connection, so that the peer cannot send either, and tells {@link Handler#broken} (or
     * {@link Handler#connectFailed}) exactly once, unless the owner closed it in between.
     */
    public void abort(String reason) {
        end(Ending.Why.order(reason));
    }

    /**
     * As {@link #abort}, but like a network that is gone: what was written and has not arrived is thrown away, and a
     * tcp peer is reset, which it learns at once, also when it does not read.
     */
    public void reset(String reason) {
        end(Ending.Why.reset(reason));
    }

    /** The far side of a ferry has failed; what came before is still read. Owner only. */
    void failBeyond(String reason) {
        end(Ending.Why.unwritable(reason));
    }

    /** The connection is lost, or never came. */
    void fail(String reason) {
        end(Ending.Why.order(reason));
    }

    private void end(Ending.Why why) {
        if (closed || !ending.begin(why)) {
            return;
        }
        if (channel != null) {
            ending.shut(channel);
        }
        reactor.post(this::deliverEnd);
    }

    private void deliverEnd(Handler handler) {
        if (closed) {
            return;
        }
        if (channel == null) {
            close();
            handler.connectFailed(this, ending.reason());
            return;
        }
        if (interest.reads() && ending.asksForMore()) {
            handler.readable(this);
            if (ending.wentOn() && !closed) {
                reactor.post(this::deliverEnd);
                return;
            }
        }
        if (!closed) {
            close(ending.resets());
            handler.broken(this, ending.reason());
        }
    }

    /**
     * Closes in order, on the owner thread, and tells no handler anything any more: what was written still arrives,
     * then the peer reads the end. Again does nothing.
     *
     * <p>Bytes that the peer sent and nobody read are read away first, up to 1 MiB: the kernel would answer them with a
     * reset, and a reset takes back what was written.
     */
    public void close() {
        close(false);
    }

    /** @param reset throws away what has not arrived, see {@link #reset(String)} */
    void close(boolean reset) {
        if (closed) {
            return;
        }
        closed = true;
        if (connector != null) {
            connector.drop();
        }
        @Nullable SocketChannel now = channel;
        if (now == null) {
            return;
        }
        try {
            if (reset) {
                Ending.throwAway(now, peer);
            } else {
                ending.sayGoodbye(now, tls, peer, reactor.scratch());
            }
        } catch (IOException gone) {
            // Lost already: there is nobody to say goodbye to, and it is closed below all the same.
        }
        Sockets.closeQuietly(now);
        if (tls != null) {
            reactor.reuse(tls.buffers());
            tls = null;
        }
    }

    @Override
    public String toString() {
        return "connection with " + peer.name();
    }

    /** What the selector sees of it. */
    private final class Readiness implements Registered {
        @Override
        public void ready(int readyOps, Handler handler) {
            if (!isEnding() && interest.reads() && (readyOps & SelectionKey.OP_READ) != 0) {
                handler.readable(Connection.this);
            }
            if (!isEnding() && tls != null && tls.owesOwn()) {
                flush(tls);
            }
            if (!isEnding() && interest.writes() && (readyOps & SelectionKey.OP_WRITE) != 0) {
                handler.writable(Connection.this);
            }
        }

        @Override
        public void drop() {
            close();
        }
    }
}
