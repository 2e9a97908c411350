// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.Wire;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PageRecord;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A source that is answered in bytes; its connections, its guest's memory and what it has said are the test's to see and to say. */
abstract class SourceTalk {
    static final int PAGES = 300;
    static final BlockTable BLOCKS =
            new BlockTable(List.of(BlockInfo.of("a", (long) PAGES * Pages.SIZE), BlockInfo.of("b", Pages.SIZE)));
    static final MigrationOptions POSTCOPY = new MigrationOptions(true, true, false, false, false, 2, 7);
    static final MigrationOptions PREEMPT = new MigrationOptions(true, true, true, false, false, 2, 7);
    static final MigrationOptions MULTIFD = POSTCOPY.withMultifd(MultifdParameters.DEFAULT.withChannels(2));

    final List<Channel> connections = new ArrayList<>();
    final List<StreamMessage> sent = new ArrayList<>();
    final List<Long> pagesSent = new ArrayList<>();
    StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    final ReturnPathEncoder answers = new ReturnPathEncoder(BLOCKS);
    byte[] devices = {};
    int connected;
    final EvenMemory memory = new EvenMemory(BLOCKS);
    String failure = "";
    long now = 1;

    SourceSession session(MigrationOptions options) {
        return new SourceSession(options, Parameters.DEFAULT, new Guest(), new Host());
    }

    int main() {
        return connections.lastIndexOf(Channel.MAIN);
    }

    void connected(SourceSession session) {
        for (; connected < connections.size(); connected++) {
            session.connected(connected, now);
        }
    }

    void says(SourceSession session, ReturnPathMessage message) {
        session.received(main(), ByteBuffer.wrap(answers.bytes(message)), now);
    }

    /** Everything that main has to say now goes to a decoder, as a network would take it. */
    void flush(SourceSession session) throws WireException {
        session.produce(now);
        Outbox out = session.outbox(main());
        ByteBuffer all = ByteBuffer.allocate(4 << 20);
        while (out != null) {
            ByteBuffer head = out.head();
            if (head == null) {
                break;
            }
            int n = head.remaining();
            all.put(head);
            out.advance(n);
            session.written(main(), now);
            session.produce(now);
            out = session.outbox(main());
        }
        all.flip();
        StreamMessage message;
        while ((message = decoder.next(all)) != null) {
            if (message instanceof PageRecord record) {
                if (!record.zero()) {
                    assertThat(all.getLong(record.dataPosition()))
                            .isEqualTo(EvenMemory.says(record.block(), record.page()));
                }
                pagesSent.add(record.block() == 0 ? record.page() : PAGES);
            } else {
                sent.add(message);
            }
        }
    }

    /** In postcopy, nothing of the memory sent yet. */
    SourceSession postcopy(MigrationOptions options) throws WireException {
        decoder = new StreamDecoder(
                StreamLimits.DEFAULT,
                DecoderOptions.PLAIN.withPostcopyRam(true).withMultifd(options.multifd() != null));
        SourceSession session = session(options);
        assertThat(session.operator(new SourceInput.Migrate(true), now)).isNull();
        connected(session);
        says(session, new ReturnPathMessage.Pong(Wire.keepAlive(7)));
        session.produce(now);
        session.guestStopped(now);
        // What was made ready until here is taken; pages come with the next turn only.
        for (int connection = 0; connection < connections.size(); connection++) {
            if (connections.get(connection) == Channel.MULTIFD) {
                take(session, connection);
            }
        }
        flushUpToTheSwitch(session);
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        says(session, new ReturnPathMessage.Pong(Wire.PING_LOADED));
        return session;
    }

    void flushUpToTheSwitch(SourceSession session) throws WireException {
        ByteBuffer all = take(session, main());
        StreamMessage message;
        while ((message = decoder.next(all)) != null) {
            sent.add(message);
        }
        assertThat(all.hasRemaining()).isFalse();
    }

    /** What waits for that connection now, handed to a kernel. */
    ByteBuffer take(SourceSession session, int connection) {
        Outbox out = Objects.requireNonNull(session.outbox(connection));
        ByteBuffer all = ByteBuffer.allocate((int) out.pending());
        for (ByteBuffer head = out.head(); head != null; head = out.head()) {
            int n = head.remaining();
            all.put(head);
            out.advance(n);
        }
        session.written(connection, now);
        return all.flip();
    }

    private final class Guest implements OutgoingGuest {
        @Override
        public StreamIdentity identity() {
            return new StreamIdentity(StreamMessage.Configuration.of("test"), 1);
        }

        @Override
        public PageSource memory() {
            return memory;
        }

        @Override
        public byte[] early() {
            return new byte[0];
        }
    }

    private final class Host implements SourceHost {
        @Override
        public int connect(Channel channel) {
            connections.add(channel);
            return connections.size() - 1;
        }

        @Override
        public void abort(int connection, String reason) {}

        @Override
        public void close(int connection, Outbox rest) {}

        @Override
        public boolean confirms(int connection) {
            return false;
        }

        @Override
        public void endOutput(int connection) {}

        @Override
        public void stopGuest(Departure departure) {}

        @Override
        public void resumeGuest() {}

        @Override
        public MachineState machineState() {
            return new MachineState(new byte[0], devices, new byte[] {'{', '}'});
        }

        @Override
        public void keepShallow(int connection) {}

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            if (to == MigrationStatus.FAILED
                    || to == MigrationStatus.POSTCOPY_PAUSED
                    || to == MigrationStatus.UNCERTAIN) {
                failure = reason;
            }
        }

        @Override
        public void passStarted(long pass) {}
    }
}
