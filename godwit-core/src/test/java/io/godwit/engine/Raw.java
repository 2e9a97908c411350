// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a peer that is not ours and says whatever the test likes: bytes made by the wire's encoders, or by hand. Speaks for either end. Nothing waits longer
 * than a test's patience.
 */
final class Raw implements AutoCloseable {
    /** What a peer does once it is connected. */
    interface Deed {
        void with(Raw peer) throws Exception;
    }

    /** The section id that this peer gives to "ram". */
    static final int RAM = 1;

    static final StreamMessage END_OF_RECORDS = new StreamMessage.EndOfRecords();
    static final StreamMessage FOOTER = new StreamMessage.Footer(RAM);
    static final StreamMessage PART = new StreamMessage.SectionPart(RAM);

    private static final int BUFFER = 1 << 20;

    private final SocketChannel channel;
    private final BlockTable blocks;
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    private final RecordEncoder records;
    private final ReturnPathDecoder returnPath;
    private final ReturnPathEncoder answers;
    private StreamDecoder stream;

    Raw(SocketChannel channel, BlockTable blocks) throws IOException {
        this.channel = channel;
        this.blocks = blocks;
        channel.configureBlocking(false);
        records = new RecordEncoder(blocks);
        returnPath = new ReturnPathDecoder(blocks);
        answers = new ReturnPathEncoder(blocks);
        stream = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN.withPostcopyRam(true));
        in.limit(0);
    }

    static Raw connect(Address address, BlockTable blocks) throws IOException {
        return new Raw(SocketChannel.open(socket(address)), blocks);
    }

    static SocketAddress socket(Address address) {
        return switch (address) {
            case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
            case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
        };
    }

    // As a source.

    Raw say(StreamMessage... messages) {
        for (StreamMessage message : messages) {
            bytes(StreamEncoder.bytes(message));
        }
        return this;
    }

    /** As a source begins that wants a return path, up to the block list. */
    Raw open(String machine, boolean postcopy, List<BlockInfo> list) {
        say(new StreamMessage.Header(), StreamMessage.Configuration.of(machine));
        say(new StreamMessage.OpenReturnPath(), new StreamMessage.Ping(1));
        if (postcopy) {
            say(new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE));
        }
        return say(StreamMessage.SectionStart.ram(RAM), StreamMessage.MemSize.of(list), END_OF_RECORDS, FOOTER);
    }

    /** A section with one zero page. */
    Raw zeroPage(int block, long page) {
        return say(PART).record(block, page).say(END_OF_RECORDS, FOOTER);
    }

    /** The record of a zero page and nothing around it, as on a preempt channel. */
    Raw record(int block, long page) {
        ByteBuffer out = ByteBuffer.allocate(RecordEncoder.MAX_RECORD);
        records.zero(out, block, page);
        return bytes(out.flip());
    }

    Raw askBitmaps() {
        for (BlockInfo block : blocks.list()) {
            say(new StreamMessage.RecvBitmap(block.name()));
        }
        return this;
    }

    /** The next message on the return path, or null at the end. */
    @Nullable
    ReturnPathMessage hear() throws WireException {
        while (true) {
            ReturnPathMessage message = returnPath.next(in);
            if (message != null) {
                return message;
            }
            if (!more()) {
                return null;
            }
        }
    }

    <T extends ReturnPathMessage> T hear(Class<T> kind) throws WireException {
        ReturnPathMessage message = hear();
        while (message != null && !kind.isInstance(message)) {
            message = hear();
        }
        assertThat(message).as("a " + kind.getSimpleName() + " before the end").isNotNull();
        return Objects.requireNonNull(kind.cast(message));
    }

    // As a destination.

    Raw answer(ReturnPathMessage... messages) {
        for (ReturnPathMessage message : messages) {
            bytes(answers.bytes(message));
        }
        return this;
    }

    /** What comes on this connection is a recovery of a migration of our blocks. */
    Raw recovers() {
        stream = StreamDecoder.recovery(
                StreamLimits.DEFAULT, DecoderOptions.PLAIN.withPostcopyRam(true), new StreamContext(blocks, RAM));
        return this;
    }

    /** Reads on, PINGs answered, to the first message of that kind; null if the stream ends before. */
    @Nullable
    StreamMessage until(Predicate<StreamMessage> wanted) throws WireException {
        while (true) {
            StreamMessage message = stream.next(in);
            if (message == null) {
                if (!more()) {
                    return null;
                }
            } else if (wanted.test(message)) {
                return message;
            } else if (message instanceof StreamMessage.Ping ping) {
                answer(new ReturnPathMessage.Pong(ping.value()));
            }
        }
    }

    <T extends StreamMessage> T until(Class<T> kind) throws WireException {
        StreamMessage message = until(kind::isInstance);
        assertThat(message).as("a " + kind.getSimpleName() + " before the end").isNotNull();
        return Objects.requireNonNull(kind.cast(message));
    }

    /** Answers every request for a bitmap with one of no page. */
    Raw claimNothing() throws WireException {
        for (int block = 0; block < blocks.size(); block++) {
            until(StreamMessage.RecvBitmap.class);
            answer(new ReturnPathMessage.RecvBitmap(
                    block, new PageBitmap(blocks.get(block).pages())));
        }
        return this;
    }

    // As anybody.

    Raw bytes(int... bytes) {
        byte[] all = new byte[bytes.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) bytes[i];
        }
        return bytes(all);
    }

    Raw text(String text) {
        return bytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    Raw bytes(byte[] bytes) {
        return bytes(ByteBuffer.wrap(bytes));
    }

    /** Says it all, or as much as the other end wants to hear. */
    Raw bytes(ByteBuffer bytes) {
        long end = patience();
        try {
            while (bytes.hasRemaining()) {
                if (channel.write(bytes) == 0) {
                    waitUntil(end, "the peer takes what is said");
                }
            }
        } catch (IOException dropped) {
            bytes.position(bytes.limit());
        }
        return this;
    }

    /** Says this over and over until nothing is taken for so long, or the connection is broken; how often it was said. */
    long flood(byte[] bytes, long heldUpMillis, long most) {
        long said = 0;
        long since = System.nanoTime();
        ByteBuffer next = ByteBuffer.wrap(bytes);
        try {
            while (said < most && System.nanoTime() - since < TimeUnit.MILLISECONDS.toNanos(heldUpMillis)) {
                if (channel.write(next) > 0) {
                    since = System.nanoTime();
                } else {
                    LockSupport.parkNanos(200_000);
                }
                if (!next.hasRemaining()) {
                    next.clear();
                    said++;
                }
            }
        } catch (IOException broken) {
            return said;
        }
        return said;
    }

    /** Reads and forgets; returns once the peer has ended the connection, in order or not. */
    void hearOut() {
        boolean more = true;
        while (more) {
            in.position(in.limit());
            more = more();
        }
    }

    /** Whether the peer has ended the connection by now. */
    boolean ended() {
        in.clear();
        int bytes = read();
        in.limit(0);
        return bytes < 0;
    }

    Raw done() throws IOException {
        channel.shutdownOutput();
        return this;
    }

    /** Reads what is there, waits for it if need be; false at the end, whether it comes in order or by a reset. */
    private boolean more() {
        long end = patience();
        in.compact();
        int bytes = read();
        while (bytes == 0) {
            waitUntil(end, "the peer says something");
            bytes = read();
        }
        in.flip();
        return bytes > 0;
    }

    private int read() {
        try {
            return channel.read(in);
        } catch (IOException reset) {
            return -1;
        }
    }

    private static long patience() {
        return System.nanoTime() + TimeUnit.SECONDS.toNanos(Diary.PATIENCE_SECONDS);
    }

    private static void waitUntil(long end, String what) {
        assertThat(System.nanoTime()).as("waiting until " + what).isLessThan(end);
        LockSupport.parkNanos(100_000);
    }

    void hangUp() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
