// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Backing;
import io.godwit.memory.GuestMemory;
import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.Wire;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A destination that is talked to in bytes, by whoever connects; what it does with connections, its guest's works and its disk are the test's to see and to say. */
final class DestinationTalk implements AutoCloseable {
    static final int NONCE = 7;
    static final List<BlockInfo> BLOCKS = List.of(BlockInfo.of("a", 2 * Pages.SIZE), BlockInfo.of("b", Pages.SIZE));
    static final MigrationOptions POSTCOPY = new MigrationOptions(true, true, false, false, false, 2, 0);

    final GuestMemory memory;
    final IncomingGuest guest = new Guest();
    final DestinationHost host = new Host();
    final DestinationSession session;
    final List<String> notices = new ArrayList<>();
    final Map<Integer, String> aborted = new HashMap<>();
    final List<Integer> closed = new ArrayList<>();
    /** Why it failed or paused last. */
    String failure = "";
    /** The last state that was to be loaded. */
    @Nullable
    MachineState loaded;

    private final Map<Integer, byte[]> unread = new HashMap<>();
    private final Deque<Integer> offered = new ArrayDeque<>();
    private boolean working;
    private boolean diskFull;
    private IncomingGuest.@Nullable Answer answer;

    DestinationTalk(MigrationOptions options) {
        this(options, Parameters.DEFAULT);
    }

    DestinationTalk(MigrationOptions options, Parameters parameters) {
        this(options, parameters, BLOCKS);
    }

    DestinationTalk(MigrationOptions options, List<BlockInfo> blocks) {
        this(options, Parameters.DEFAULT, blocks);
    }

    private DestinationTalk(MigrationOptions options, Parameters parameters, List<BlockInfo> blocks) {
        try {
            memory = GuestMemory.allocate(blocks, Backing.ANONYMOUS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        session = new DestinationSession(options, parameters, guest, host);
    }

    /** From here on the guest is at work without an answer. */
    DestinationTalk guestWorks() {
        working = true;
        return this;
    }

    DestinationTalk guestDone() {
        Objects.requireNonNull(answer).done();
        return this;
    }

    DestinationTalk guestFails(String reason) {
        Objects.requireNonNull(answer).failed(reason, true);
        return this;
    }

    /** From here on no page can be placed. */
    DestinationTalk diskFills() {
        diskFull = true;
        return this;
    }

    DestinationTalk operator(DestinationInput input) {
        assertThat(session.operator(input, 1)).isNull();
        return this;
    }

    DestinationTalk accepts(int connection) {
        session.accepted(connection, "peer " + connection, 1);
        return this;
    }

    DestinationTalk says(int connection, byte[]... bytes) {
        for (byte[] some : bytes) {
            byte[] before = unread.getOrDefault(connection, new byte[0]);
            unread.put(
                    connection,
                    ByteBuffer.allocate(before.length + some.length)
                            .put(before)
                            .put(some)
                            .array());
            offered.add(connection);
            for (Integer next = offered.poll(); next != null; next = offered.poll()) {
                offer(next);
            }
        }
        return this;
    }

    /** As a loop does: what is left over is offered again with more, or when the session says so, and not while it waits. */
    private void offer(int connection) {
        byte[] bytes = unread.remove(connection);
        if (bytes == null || aborted.containsKey(connection)) {
            return;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (!session.waits(connection)) {
            session.received(connection, in, 1);
        }
        unread.put(connection, Arrays.copyOfRange(bytes, in.position(), bytes.length));
    }

    DestinationTalk says(int connection, StreamMessage... messages) {
        for (StreamMessage message : messages) {
            says(connection, StreamEncoder.bytes(message));
        }
        return this;
    }

    DestinationTalk breaks(int connection) {
        session.broken(connection, "reset", 1);
        return this;
    }

    MigrationStatus status() {
        return session.machine().status();
    }

    // ---- what a source says

    DestinationTalk listening() {
        return operator(new DestinationInput.Incoming());
    }

    /** Connection 1 is main and has said everything up to its block list. */
    DestinationTalk active() {
        return listening()
                .accepts(1)
                .says(1, new StreamMessage.Header(), StreamMessage.Configuration.of("test"))
                .says(1, new StreamMessage.OpenReturnPath())
                .says(1, new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE))
                .blocks();
    }

    DestinationTalk blocks() {
        return says(
                1,
                StreamMessage.SectionStart.ram(1),
                StreamMessage.MemSize.of(BLOCKS),
                new StreamMessage.EndOfRecords(),
                new StreamMessage.Footer(1));
    }

    DestinationTalk named() {
        return says(1, new StreamMessage.Ping(Wire.keepAlive(NONCE)));
    }

    DestinationTalk packaged() {
        return says(1, new PackagedBlob(new byte[0], List.of(Wire.PING_LOADED)).encode());
    }

    DestinationTalk postcopy() {
        return active().packaged();
    }

    /** A section of main with all pages. */
    DestinationTalk allPages(int connection) {
        says(connection, new StreamMessage.SectionPart(1));
        says(connection, page(0, 0, true), page(0, 1, false), page(1, 0, true));
        return says(connection, new StreamMessage.EndOfRecords(), new StreamMessage.Footer(1));
    }

    DestinationTalk ends(int connection) {
        return says(
                connection,
                new StreamMessage.SectionEnd(1),
                new StreamMessage.EndOfRecords(),
                new StreamMessage.Footer(1),
                new StreamMessage.EndOfStream());
    }

    /** The connection asks for the first block's received bitmap, as a recovery begins. */
    DestinationTalk recovers(int connection) {
        return accepts(connection).says(connection, new StreamMessage.RecvBitmap("a"));
    }

    /** A page's record; its content is the page's number and the block's. */
    static byte[] page(int block, long page, boolean named) {
        RecordEncoder records = new RecordEncoder(new BlockTable(BLOCKS));
        ByteBuffer out = ByteBuffer.allocate(RecordEncoder.MAX_RECORD + 2 * Pages.SIZE + 16);
        if (!named) {
            records.header(out, block, page == 0 ? 1 : 0);
            out.clear();
        }
        records.header(out, block, page);
        out.put(new byte[] {(byte) (page + 1), (byte) block}).put(new byte[Pages.SIZE - 2]);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    byte[] content(int block, long page) {
        ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
        memory.asSource().read(block, page, out);
        return out.array();
    }

    @Override
    public void close() {
        memory.close();
    }

    private final class Guest implements IncomingGuest {
        @Override
        public @Nullable String unfit(StreamMessage.Configuration configuration) {
            return null;
        }

        @Override
        public @Nullable String adopt(Arrival arrival) {
            return null;
        }

        @Override
        public PageSink memory() {
            return new Sink(memory.asSink());
        }

        @Override
        public boolean known() {
            return true;
        }

        @Override
        public MissingPages missingPages() {
            return MissingPages.NONE;
        }

        @Override
        public void reset() {
            memory.asSink().reset();
        }

        @Override
        public void load(MachineState state, boolean postcopy, boolean confirmed, Answer to) {
            loaded = state;
            work(to);
        }

        @Override
        public void finish(boolean confirmed, Answer to) {
            work(to);
        }

        @Override
        public void mend(Answer to) {
            work(to);
        }

        private void work(Answer to) {
            answer = to;
            if (!working) {
                to.done();
            }
        }
    }

    /** Fails where the disk is full. */
    private final class Sink implements PageSink {
        private final PageSink sink;

        Sink(PageSink sink) {
            this.sink = sink;
        }

        @Override
        public BlockTable blocks() {
            return sink.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return sink.received(block);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            sink.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            sink.storeZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            sink.read(block, page, out);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            sink.discard(block, firstPage, count);
        }

        @Override
        public void beginPostcopy() {
            sink.beginPostcopy();
        }

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            if (diskFull) {
                throw new StorageException("the disk is full");
            }
            return sink.place(block, page, in, position);
        }

        @Override
        public boolean placeZero(int block, long page) {
            return sink.placeZero(block, page);
        }

        @Override
        public void reset() {
            sink.reset();
        }
    }

    private final class Host implements DestinationHost {
        @Override
        public void abort(int connection, String reason) {
            aborted.put(connection, reason);
        }

        @Override
        public void close(int connection, Outbox rest) {
            closed.add(connection);
        }

        @Override
        public void again(int connection) {
            offered.add(connection);
        }

        @Override
        public long now() {
            return 1;
        }

        @Override
        public void startGuest() {}

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            if (to == MigrationStatus.FAILED || to == MigrationStatus.POSTCOPY_PAUSED) {
                failure = reason;
            }
        }

        @Override
        public void notice(String text) {
            notices.add(text);
        }
    }
}
