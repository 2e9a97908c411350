// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All sockets of one loop, and the one wait of that loop.
 *
 * <p>One thread owns a reactor: it alone listens, connects, polls, reads, writes and closes. Any thread may call
 * {@link #wakeup()} and {@link Connection#abort}. A poll in steady state allocates nothing of its own.
 */
public final class Reactor implements AutoCloseable {

    /** How long a listener that could not accept is left alone: 100 ms. */
    public static final long ACCEPT_PAUSE_NANOS = 100_000_000L;

    /** How long a TLS handshake may take, from the first byte on: 10 s. */
    public static final long HANDSHAKE_NANOS = 10_000_000_000L;

    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final int SPARE_BUFFERS = 4;

    /** What a close reads away from a peer that goes on sending; see {@link Connection#close()}. */
    private static final int SCRATCH_BYTES = 64 << 10;

    private final Selector selector;
    private final PostedNews posted = new PostedNews();
    private final List<SelectionKey> ready = new ArrayList<>();
    private final Consumer<SelectionKey> collect = ready::add;
    private final List<Timed> waiting = new ArrayList<>();
    private final ArrayDeque<TlsStream.Buffers> spare = new ArrayDeque<>();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
    private volatile boolean closed;

    /** @throws IOException if the system gives no selector, for want of file descriptors most likely */
    public Reactor() throws IOException {
        selector = Selector.open();
    }

    /**
     * Listens. A unix socket gets mode 0600; the file of a socket that nobody answers is replaced, one that somebody
     * answers is not. A host name is resolved here and now, so a loop should listen on literal addresses.
     *
     * @throws IOException with a sentence: the address, what is wrong and what to do
     */
    public Listener listen(Address address) throws IOException {
        return Listener.open(this, address);
    }

    /**
     * Begins to connect and returns at once; a later {@link #poll} tells the outcome. There is no deadline but the
     * system's own (minutes for a silent host): abort the connection when yours has passed. A host name is resolved in
     * a thread of its own, and all its addresses are tried in turn.
     */
    public Connection connect(MigrationAddress address) {
        return connect(address, null);
    }

    /**
     * As {@link #connect(MigrationAddress)}, with TLS: {@link Handler#connected} is told when the handshake is over, and one that takes longer than {@link #HANDSHAKE_NANOS} fails.
     *
     * @param tls null for plain bytes
     * @throws IllegalArgumentException if TLS is wanted and the address is no socket's
     */
    public Connection connect(MigrationAddress address, @Nullable TlsClient tls) {
        Connection connection = new Connection(this, OtherEnd.at(address));
        switch (address) {
            case Address socket -> new Connector(this, connection, socket, tls).start();
            case MigrationAddress.Local local -> {
                if (tls != null) {
                    throw new IllegalArgumentException("TLS needs a socket, and " + local + " is none");
                }
                Ferry.depart(this, connection, local, Ferry.Way.OUT);
            }
        }
        return connection;
    }

    /** Begins to open what a stream shall come from, and returns at once; as for {@link #connect} a later poll tells the outcome. */
    public Connection receive(MigrationAddress.Local from) {
        Connection connection = new Connection(this, OtherEnd.at(from));
        Ferry.depart(this, connection, from, Ferry.Way.IN);
        return connection;
    }

    /**
     * Waits once, for whichever comes first: a socket is ready, {@link #wakeup()} was called since the last poll, a
     * connection was aborted, or the time is over; then tells the handler everything there is to tell.
     *
     * @param timeoutNanos negative: no limit; 0: only look. Rounded up to a millisecond: never early, late by less than
     *     that and what the scheduler adds
     * @return how many calls the handler got
     * @throws IllegalStateException if the reactor is closed
     */
    public int poll(long timeoutNanos, Handler handler) {
        if (closed) {
            throw new IllegalStateException("this reactor is closed");
        }
        select(endWaits(timeoutNanos));
        try {
            return posted.deliver(handler) + deliverReady(handler);
        } finally {
            ready.clear();
        }
    }

    /** Ends the owner's current or next {@link #poll}; never lost, merged when many. Any thread; a few microseconds. */
    public void wakeup() {
        selector.wakeup();
    }

    /** Closes every listener and connection without telling a handler. Owner only; again does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (SelectionKey key : List.copyOf(selector.keys())) {
            ((Registered) key.attachment()).drop();
        }
        posted.close();
        try {
            selector.close();
        } catch (IOException failed) {
            throw new UncheckedIOException("the selector could not be closed", failed);
        }
    }

    boolean isClosed() {
        return closed;
    }

    Selector selector() {
        return selector;
    }

    /** A buffer for bytes that nobody wants; owner only. */
    ByteBuffer scratch() {
        return scratch.clear();
    }

    /** Has the owner's next poll tell this. Any thread. */
    void post(Posted news) {
        if (posted.post(news)) {
            selector.wakeup();
        }
    }

    /** Has this told when its time is over. Owner only. */
    void await(Timed timed) {
        waiting.add(timed);
    }

    void forget(Timed timed) {
        waiting.remove(timed);
    }

    /** Memory for a TLS session. Owner only. */
    TlsStream.Buffers buffers() {
        TlsStream.Buffers used = spare.poll();
        return used == null ? new TlsStream.Buffers() : used;
    }

    /** Nobody uses it any more. Owner only. */
    void reuse(TlsStream.Buffers buffers) {
        if (spare.size() < SPARE_BUFFERS) {
            spare.add(buffers);
        }
    }

    /**
     * Makes the system forget closed channels now: NIO keeps a closed channel's descriptor, and with it a listening
     * socket, until its key is thrown out by a select. Owner only, outside a select.
     */
    void purge() {
        if (selector.isOpen()) {
            try {
                selector.selectNow(_ -> {});
            } catch (IOException failed) {
                throw new UncheckedIOException("the selector failed", failed);
            }
            selector.wakeup(); // the select above may have taken somebody's wake-up
        }
    }

    private void select(long timeoutNanos) {
        // An interrupt would make this and every later wait return at once: it counts as one wake-up.
        boolean interrupted = Thread.interrupted();
        try {
            if (interrupted || timeoutNanos == 0 || !posted.isEmpty()) {
                selector.selectNow(collect);
            } else if (timeoutNanos < 0) {
                selector.select(collect, 0);
            } else {
                selector.select(collect, millisCeiling(timeoutNanos));
            }
        } catch (IOException failed) {
            throw new UncheckedIOException("the selector failed", failed);
        }
    }

    private static long millisCeiling(long nanos) {
        return nanos / NANOS_PER_MILLI + (nanos % NANOS_PER_MILLI == 0 ? 0 : 1);
    }

    /** Tells those whose time is over; returns the time to the next one, if that is sooner. */
    private long endWaits(long timeoutNanos) {
        if (waiting.isEmpty()) {
            return timeoutNanos;
        }
        long now = System.nanoTime();
        long wait = timeoutNanos;
        for (int i = waiting.size() - 1; i >= 0; i--) {
            long left = waiting.get(i).left(now);
            if (left <= 0) {
                waiting.remove(i).due();
            } else if (wait < 0 || left < wait) {
                wait = left;
            }
        }
        return wait;
    }

    private int deliverReady(Handler handler) {
        for (int i = 0; i < ready.size(); i++) {
            SelectionKey key = ready.get(i);
            if (!key.isValid()) {
                continue; // closed by the handler of an earlier one
            }
            ((Registered) key.attachment()).ready(key.readyOps(), handler);
        }
        return ready.size();
    }
}
