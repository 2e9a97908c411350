// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One TLS session between plain bytes and a non-blocking channel. For one thread, but for {@link #work}, during which nothing else is called.
 *
 * <p><b>What counts as written.</b> A byte counts as written once the whole record that carries it was taken by the channel, never before: {@link #write} moves its buffer's position by that
 * and no more, although bytes beyond are encrypted and on their way. Nobody can read a part of a record, so a byte that was not counted cannot be had by the peer, and one that was counted may be.
 * What follows is a rule for the caller: the next write begins with the same bytes. An {@code Outbox} does so by nature.
 *
 * <p><b>The end.</b> An end without close_notify is an end like one with it: QEMU sends none on most of its channels, and whether a stream was whole is what the migration's own protocol tells.
 */
final class TlsStream {
    /** Plain bytes in a record at most (RFC 8446 §5.1). */
    private static final int RECORD = 16 * 1024;

    private static final int HEADER = 5;
    private static final int ALERT = 21;
    private static final int HANDSHAKE = 22;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** What a handshake waits for. */
    enum Need {
        READABLE,
        WRITABLE,
        /** {@link #work}, on any thread. */
        WORK,
        NOTHING
    }

    private final SSLEngine engine;
    private final Buffers buffers;
    /** Encrypted, to be read: between position and limit. */
    private final ByteBuffer in;

    private final RecordsOut out;
    /** Decrypted, and did not fit where it was wanted: between position and limit. */
    private final ByteBuffer plain;

    private boolean begun;
    private boolean spoken;
    private boolean established;
    private boolean heard;
    private boolean ended;
    private boolean lost;
    private @Nullable IOException failure;
    private int packet;

    /** @param buffers this stream's until its channel is closed */
    TlsStream(SSLEngine engine, Buffers buffers) {
        this.engine = engine;
        this.buffers = buffers;
        this.in = buffers.in.limit(0);
        this.out = new RecordsOut(buffers.out);
        this.plain = buffers.plain.limit(0);
    }

    /** What a session needs of memory; it is used again, because direct memory is given back late. */
    record Buffers(ByteBuffer in, ByteBuffer out, ByteBuffer plain) {
        /** Room for some records and what encryption adds to them. */
        private static final int ENCRYPTED = 96 * 1024;

        Buffers() {
            this(
                    ByteBuffer.allocateDirect(ENCRYPTED),
                    ByteBuffer.allocateDirect(ENCRYPTED),
                    ByteBuffer.allocateDirect(2 * RECORD));
        }
    }

    /** Whoever closes the channel may have them for another. */
    Buffers buffers() {
        return buffers;
    }

    /**
     * Goes on with the handshake as far as it can.
     *
     * @throws IOException it came to nothing; what the peer is to be told of that was written if the channel took it
     */
    Need handshake(ByteChannel channel) throws IOException {
        if (!begun) {
            begun = true;
            packet = engine.getSession().getPacketBufferSize();
            engine.beginHandshake();
        }
        try {
            while (true) {
                out.send(channel);
                if (owes()) {
                    return Need.WRITABLE;
                }
                switch (engine.getHandshakeStatus()) {
                    case NEED_TASK -> {
                        return Need.WORK;
                    }
                    case NEED_WRAP -> wrap(NOTHING);
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                        if (!greeted(channel)) {
                            return Need.READABLE;
                        }
                    }
                    case NOT_HANDSHAKING, FINISHED -> {
                        established = true;
                        packet = engine.getSession().getPacketBufferSize();
                        return Need.NOTHING;
                    }
                }
            }
        } catch (SSLException failed) {
            sayWhy(channel);
            throw failed;
        }
    }

    /** What is heavy of a handshake; may run on any thread while nothing else is called. */
    void work() {
        Runnable task;
        while ((task = engine.getDelegatedTask()) != null) {
            task.run();
        }
    }

    /** One step of a handshake that needs the peer; false: its bytes are not there yet. */
    private boolean greeted(ByteChannel channel) throws IOException {
        plain.clear();
        try {
            SSLEngineResult result = unwrap(plain);
            if (result.getStatus() == Status.CLOSED) {
                throw new IOException("the peer has ended the TLS handshake");
            }
            if (result.getStatus() != Status.BUFFER_UNDERFLOW) {
                return true;
            }
        } finally {
            plain.flip();
        }
        int count = fill(channel);
        if (count < 0) {
            throw new IOException(
                    spoken
                            ? "the peer has ended the connection in the middle of the TLS handshake"
                            : "the peer has ended the connection instead of a TLS handshake: does it speak TLS there (tls-creds)?");
        }
        if (count > 0 && !spoken) {
            spoken = true;
            int first = in.get(in.position());
            if (first != HANDSHAKE && first != ALERT) {
                throw new IOException(
                        "what it sends is no TLS: it needs the parameter tls-creds, too, or this side must be without");
            }
        }
        return count > 0;
    }

    /** The peer learns why, if there is room for it. */
    private void sayWhy(ByteChannel channel) {
        try {
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                wrap(NOTHING);
            }
            out.send(channel);
        } catch (IOException gone) {
            // It has gone before it was told; what went wrong is told here anyway.
        }
    }

    /** Whether the peer has sent anything since the handshake. */
    boolean heard() {
        return heard;
    }

    /**
     * Reads what is there, with at most one read of the channel.
     *
     * @return plain bytes read; 0: nothing just now; -1: no more will come
     */
    int read(ByteChannel channel, ByteBuffer into) throws IOException {
        int start = into.position();
        try {
            take(into);
            if (into.hasRemaining() && !ended && !lost) {
                lost = fill(channel) < 0;
                take(into);
            }
        } catch (IOException failed) {
            if (into.position() == start) {
                throw failed;
            }
            failure = failed; // what came whole before it is heard first
        }
        int count = into.position() - start;
        heard |= count > 0;
        boolean over = (ended || lost) && into.hasRemaining();
        return count == 0 && over ? -1 : count;
    }

    /** From what was received to plain bytes, until one or the other runs out. */
    private void take(ByteBuffer into) throws IOException {
        if (failure != null) {
            throw failure;
        }
        while (into.hasRemaining()) {
            if (plain.hasRemaining()) {
                int count = Math.min(plain.remaining(), into.remaining());
                into.put(into.position(), plain, plain.position(), count);
                into.position(into.position() + count);
                plain.position(plain.position() + count);
            } else if (ended || !open(into)) {
                return;
            }
        }
    }

    /** Opens one record; false: no whole one is there. */
    private boolean open(ByteBuffer into) throws IOException {
        SSLEngineResult result = unwrap(into);
        if (result.getStatus() == Status.BUFFER_OVERFLOW) {
            plain.clear();
            result = unwrap(plain);
            plain.flip();
        }
        switch (result.getStatus()) {
            case BUFFER_UNDERFLOW -> {
                return false;
            }
            case CLOSED -> ended = true;
            case BUFFER_OVERFLOW -> throw new SSLException("a record is longer than TLS allows");
            case OK -> {}
        }
        answer();
        return true;
    }

    private SSLEngineResult unwrap(ByteBuffer into) throws SSLException {
        return engine.unwrap(in, into);
    }

    /** After the handshake: tickets, new keys, the answer to an end. */
    private void answer() throws IOException {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> {
                    refuseRenegotiation();
                    work(); // new keys: a hash, nothing heavy
                }
                case NEED_WRAP -> {
                    if (!ended) {
                        refuseRenegotiation();
                    }
                    if (!out.hasRoom(packet)) {
                        throw new SSLException("the peer asks for answers and does not read them");
                    }
                    if (wrap(NOTHING).bytesProduced() == 0) {
                        return;
                    }
                }
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!ended) {
                        refuseRenegotiation();
                    }
                    return;
                }
                case NOT_HANDSHAKING, FINISHED -> {
                    return;
                }
            }
        }
    }

    private void refuseRenegotiation() throws SSLException {
        if (!engine.getSession().getProtocol().equals("TLSv1.3")) {
            throw new SSLException("the peer wants to negotiate anew, which is refused");
        }
    }

    /** Whether {@link #read} has something to say without the channel. */
    boolean hasMore() {
        return plain.hasRemaining() || failure != null || ended || wholeRecord();
    }

    private boolean wholeRecord() {
        if (in.remaining() < HEADER) {
            return false;
        }
        int length = in.getShort(in.position() + HEADER - Short.BYTES) & 0xffff;
        return in.remaining() >= HEADER + length;
    }

    private int fill(ByteChannel channel) throws IOException {
        in.compact();
        try {
            return channel.read(in);
        } finally {
            in.flip();
        }
    }

    /**
     * Writes what the channel takes. The next call begins with the bytes that were not counted.
     *
     * @return plain bytes whose records the channel has taken whole; the buffer's position has moved by them
     */
    int write(ByteChannel channel, ByteBuffer from) throws IOException {
        if (from.remaining() < out.ahead()) {
            throw new IllegalArgumentException("bytes that are on their way were taken back");
        }
        int start = from.position();
        do {
            encrypt(from);
            from.position(from.position() + out.send(channel));
        } while (!owes() && from.hasRemaining());
        return from.position() - start;
    }

    private void encrypt(ByteBuffer from) throws SSLException {
        int position = from.position();
        int limit = from.limit();
        try {
            while (out.takesMore() && limit - position > out.ahead() && out.hasRoom(packet)) {
                int next = position + out.ahead();
                from.limit(Math.min(limit, next + RECORD)).position(next);
                SSLEngineResult result = wrap(from);
                if (result.bytesConsumed() > 0) {
                    out.whole(result.bytesConsumed());
                } else if (result.bytesProduced() == 0) {
                    throw new SSLException("the peer has ended the TLS session");
                }
            }
        } finally {
            from.limit(limit).position(position);
        }
    }

    private SSLEngineResult wrap(ByteBuffer from) throws SSLException {
        SSLEngineResult result = engine.wrap(from, out.bytes());
        if (result.getStatus() == Status.BUFFER_OVERFLOW) {
            throw new SSLException("a record found no room: " + result);
        }
        return result;
    }

    /** Whether something encrypted waits for the channel. */
    boolean owes() {
        return out.owes();
    }

    /** Whether all that waits is the session's own: then nobody calls {@link #write} for it, and {@link #flush} is due. */
    boolean owesOwn() {
        return out.ahead() == 0 && owes();
    }

    /** Sends what is no one's plain bytes: an answer, an end. Does nothing while a write has bytes on their way: they go with it. */
    void flush(ByteChannel channel) throws IOException {
        if (out.ahead() == 0) {
            out.send(channel);
        }
    }

    /**
     * Says that no more will be written, as far as the channel takes it; the rest is for {@link #flush}. Says nothing while bytes are on their way: they were not counted, so they must not
     * arrive any more.
     */
    void end(ByteChannel channel) throws IOException {
        if (out.ahead() > 0) {
            return;
        }
        if (established && !engine.isOutboundDone() && out.hasRoom(packet)) {
            engine.closeOutbound();
            wrap(NOTHING);
        }
        out.send(channel);
    }
}
