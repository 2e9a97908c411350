// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * One TLS handshake on a connected channel, from its first byte to its outcome. Until then nobody else knows of the connection, so whatever goes wrong is the same as one that was never made. What
 * is heavy (signatures, key exchange, chains) runs in a thread of its own; all else on the reactor's owner, which never waits for it.
 */
final class TlsHandshake implements Registered, Timed {
    /** How it ends; one of the two is called, once, unless it is dropped before. */
    interface Outcome {
        /** False: somebody has given the connection up, and will drop this. */
        default boolean wanted() {
            return true;
        }

        /** The channel, its key and the session are the connection's from here on. */
        void secured(Handler handler);

        /** The channel is closed. */
        void failed(String reason);
    }

    private final Reactor reactor;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final TlsStream stream;
    private final Outcome outcome;
    private final long deadline = System.nanoTime() + Reactor.HANDSHAKE_NANOS;
    private Runnable afterwards = () -> {};
    private boolean over;
    private boolean working;

    TlsHandshake(Reactor reactor, SocketChannel channel, SelectionKey key, TlsStream stream, Outcome outcome) {
        this.reactor = reactor;
        this.channel = channel;
        this.key = key;
        this.stream = stream;
        this.outcome = outcome;
    }

    /** What is to be done when it is over, however it is. */
    void afterwards(Runnable what) {
        afterwards = what;
    }

    void begin(Handler handler) {
        key.attach(this);
        reactor.await(this);
        proceed(handler);
    }

    @Override
    public void ready(int readyOps, Handler handler) {
        proceed(handler);
    }

    private void proceed(Handler handler) {
        if (over || working || !outcome.wanted()) {
            return;
        }
        try {
            switch (stream.handshake(channel)) {
                case READABLE -> key.interestOps(SelectionKey.OP_READ);
                case WRITABLE -> key.interestOps(SelectionKey.OP_WRITE);
                case WORK -> {
                    key.interestOps(0);
                    working = true;
                    Thread.ofPlatform().daemon().name("godwit-tls").start(this::work);
                }
                case NOTHING -> {
                    key.interestOps(0);
                    end();
                    outcome.secured(handler);
                }
            }
        } catch (IOException failed) {
            give(TlsReasons.of(failed));
        }
    }

    /** In a thread of its own; while it runs nobody else touches the session. A failure is told by the session's next step. */
    private void work() {
        stream.work();
        reactor.post(handler -> {
            working = false;
            if (over) {
                reactor.reuse(stream.buffers());
            } else {
                proceed(handler);
            }
        });
    }

    @Override
    public long left(long now) {
        return deadline - now;
    }

    @Override
    public void due() {
        give("the TLS handshake took longer than " + Reactor.HANDSHAKE_NANOS / 1_000_000_000 + " s");
    }

    /** It comes to nothing. */
    void give(String reason) {
        if (!over) {
            drop();
            outcome.failed(reason);
        }
    }

    private void end() {
        over = true;
        reactor.forget(this);
        afterwards.run();
    }

    /** Nobody wants it any more. */
    @Override
    public void drop() {
        if (over) {
            return;
        }
        end();
        try {
            // In order, so that an alert arrives: what is unread would make it a reset, which takes it back.
            Sockets.endOutput(channel);
            Sockets.drain(channel, reactor.scratch());
        } catch (IOException gone) {
            // Lost already: there is nobody to say goodbye to.
        }
        Sockets.closeQuietly(channel);
        if (!working) {
            reactor.reuse(stream.buffers());
        }
    }
}
