// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.JsonFormat;
import io.godwit.net.BlockingSocket;
import io.godwit.net.HandedDescriptor;
import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One socket and its two threads: a reader, which cuts the bytes into messages and hands them to the {@link Handler}, and a writer, which
 * empties the outbox. Both end when the socket is closed, by whomever. Every method may be called from any thread.
 */
final class QmpConnection {
    /** Called on the reader's thread, which reads on only when a call has returned. */
    interface Handler {
        /** What the peer sent along with the bytes that are told next; it is the handler's. Only where descriptors can come. */
        default void handed(List<Descriptor> descriptors) {
            descriptors.forEach(one -> new HandedDescriptor(one).close());
        }

        void text(byte[] utf8);

        void bad(String reason);

        /** The last call: nothing more will be read. */
        void ended(String reason);
    }

    private static final System.Logger LOG = System.getLogger(QmpConnection.class.getName());
    private static final int READ_BYTES = 16 << 10;
    private static final int WRITE_BYTES = 16 << 10;

    private final BlockingSocket socket;
    private final Handler handler;
    private final QmpFramer framer;
    private final Outbox outbox;
    private final CompletableFuture<Void> written = new CompletableFuture<>();

    /** @param outboxBytes how much may wait for a peer that does not read */
    QmpConnection(BlockingSocket socket, int maxMessage, long outboxBytes, Handler handler) {
        this.socket = socket;
        this.handler = handler;
        this.framer = new QmpFramer(maxMessage);
        this.outbox = new Outbox(outboxBytes);
    }

    void start(String name) {
        socket.thread().name(name + "-writer").start(this::write);
        socket.thread().name(name + "-reader").start(this::read);
    }

    /** Queues the message, or if there is no room closes the connection and gives false. Never waits. */
    boolean offer(QmpMessage message) {
        if (outbox.offer(line(message))) {
            return true;
        }
        abort();
        return false;
    }

    /** Queues the message; waits for room as long as the connection stands. */
    void send(QmpMessage message) {
        outbox.put(line(message));
    }

    /** Takes no more messages, and closes the connection once those that are queued are written. */
    void finish() {
        outbox.finish();
    }

    /** Reads no more: the handler hears of the end as if the peer had brought it about. */
    void stopReading() {
        try {
            socket.shutdownInput();
        } catch (ClosedChannelException e) {
            LOG.log(System.Logger.Level.TRACE, "closed already", e);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a QMP connection could not be shut down in half, so it is closed", e);
            abort();
        }
    }

    /** Closes the connection at once. */
    void abort() {
        outbox.close();
        try {
            socket.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing a QMP connection", e);
        }
    }

    /** Done when nothing is written any more and the socket is closed. */
    CompletableFuture<Void> closed() {
        return written;
    }

    private void read() {
        String reason = "the peer closed the connection";
        ByteBuffer in = ByteBuffer.allocateDirect(READ_BYTES);
        List<Descriptor> handed = new ArrayList<>();
        try {
            while (socket.read(in.clear(), handed::add) >= 0) {
                if (!handed.isEmpty()) {
                    handler.handed(List.copyOf(handed));
                    handed.clear();
                }
                in.flip();
                for (QmpFramer.Frame frame = framer.next(in); frame != null; frame = framer.next(in)) {
                    deliver(frame);
                }
            }
            deliver(framer.end());
        } catch (ClosedChannelException e) {
            LOG.log(System.Logger.Level.TRACE, "closed while reading", e);
            reason = "the connection was closed here";
        } catch (IOException e) {
            reason = "the connection broke: " + e.getMessage();
        } finally {
            if (!handed.isEmpty()) {
                handler.handed(List.copyOf(handed)); // what came with the end
            }
            handler.ended(reason);
        }
    }

    private void deliver(QmpFramer.@Nullable Frame frame) {
        switch (frame) {
            case QmpFramer.Frame.Text(byte[] utf8) -> handler.text(utf8);
            case QmpFramer.Frame.Bad(String reason) -> handler.bad(reason);
            case null -> {}
        }
    }

    private void write(ByteBuffer out, byte[] line) throws IOException {
        for (int at = 0; at < line.length; at += WRITE_BYTES) {
            socket.write(out.clear()
                    .put(line, at, Math.min(WRITE_BYTES, line.length - at))
                    .flip());
        }
    }

    private void write() {
        ByteBuffer out = ByteBuffer.allocateDirect(WRITE_BYTES);
        try {
            for (byte[] line = outbox.take(); line != null; line = outbox.take()) {
                write(out, line);
            }
            socket.farewell();
        } catch (IOException e) {
            // The reader, which sees the same end, tells the reason.
            LOG.log(System.Logger.Level.DEBUG, "writing to a QMP peer", e);
        } finally {
            abort();
            written.complete(null);
        }
    }

    private static byte[] line(QmpMessage message) {
        return (message.toJson().toText(JsonFormat.QEMU) + "\r\n").getBytes(StandardCharsets.UTF_8);
    }
}
