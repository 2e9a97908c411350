// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Backing;
import io.godwit.memory.GuestMemory;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A destination that is sent encoded pages: it makes pages of them, or tells what is wrong and has changed nothing. */
class IncomingPagesTest {
    private static final String MACHINE = "test";
    private static final List<BlockInfo> BLOCKS = List.of(BlockInfo.of("a", 4 * Pages.SIZE));

    @AutoClose
    private final GuestMemory memory = memory();

    private final ByteArrayOutputStream stream = new ByteArrayOutputStream();
    private final RecordEncoder records = new RecordEncoder(memory.blocks());
    private String failure = "";

    private static GuestMemory memory() {
        try {
            return GuestMemory.allocate(BLOCKS, Backing.ANONYMOUS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private IncomingPagesTest say(StreamMessage... messages) {
        for (StreamMessage message : messages) {
            stream.writeBytes(StreamEncoder.bytes(message));
        }
        return this;
    }

    private IncomingPagesTest opens() {
        return say(
                new StreamMessage.Header(),
                StreamMessage.Configuration.of(MACHINE),
                new StreamMessage.OpenReturnPath(),
                new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE),
                StreamMessage.SectionStart.ram(1),
                StreamMessage.MemSize.of(BLOCKS),
                new StreamMessage.EndOfRecords(),
                new StreamMessage.Footer(1),
                new StreamMessage.SectionPart(1));
    }

    private IncomingPagesTest record(ByteBuffer out, byte[] data) {
        byte[] header = new byte[out.flip().remaining()];
        out.get(header);
        stream.writeBytes(header);
        stream.writeBytes(data);
        return this;
    }

    private IncomingPagesTest sends(long page, byte[] content) {
        ByteBuffer out = ByteBuffer.allocate(300);
        records.header(out, 0, page);
        return record(out, content);
    }

    private IncomingPagesTest sendsZero(long page) {
        ByteBuffer out = ByteBuffer.allocate(300);
        records.zero(out, 0, page);
        return record(out, new byte[0]);
    }

    private IncomingPagesTest sendsDifference(long page, int... delta) {
        ByteBuffer out = ByteBuffer.allocate(300);
        records.xbzrle(out, 0, page, delta.length);
        byte[] bytes = new byte[delta.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) delta[i];
        }
        return record(out, bytes);
    }

    /** By hand: we send none. */
    private IncomingPagesTest sendsZlib(long page, byte[] content) {
        Deflater deflater = new Deflater();
        deflater.setInput(content);
        deflater.finish();
        byte[] zlib = new byte[5000];
        int n = deflater.deflate(zlib);
        deflater.end();
        ByteBuffer out = ByteBuffer.allocate(300);
        out.putLong(page << Pages.SHIFT | 0x100).put((byte) 1).put((byte) 'a').putInt(n);
        return record(out, Arrays.copyOf(zlib, n));
    }

    private DestinationSession arrives(boolean xbzrle, boolean compress) {
        MigrationOptions options = new MigrationOptions(false, true, false, false, false, xbzrle, compress, 1, 0);
        DestinationSession session = new DestinationSession(options, Parameters.DEFAULT, new Guest(), new Host());
        session.operator(new DestinationInput.Incoming(), 0);
        session.accepted(1, "a source", 0);
        session.received(1, ByteBuffer.wrap(stream.toByteArray()), 1);
        return session;
    }

    /** Has its memory, and takes any device state. */
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
            return memory.asSink();
        }

        @Override
        public boolean known() {
            return true;
        }

        @Override
        public MissingPages missingPages() {
            return MissingPages.NONE;
        }

        /** What a failed attempt has left is what the test is about. */
        @Override
        public void reset() {}

        @Override
        public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
            answer.done();
        }

        @Override
        public void finish(boolean confirmed, Answer answer) {
            answer.done();
        }

        @Override
        public void mend(Answer answer) {
            answer.done();
        }
    }

    /** Remembers why it failed. */
    private final class Host implements DestinationHost {
        @Override
        public void abort(int connection, String reason) {}

        @Override
        public void close(int connection, Outbox rest) {}

        @Override
        public void again(int connection) {}

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
        public void notice(String text) {}
    }

    private byte[] page(long page) {
        ByteBuffer out = ByteBuffer.allocate(Pages.SIZE);
        memory.asSource().read(0, page, out);
        return out.array();
    }

    private static byte[] content(int... firstBytes) {
        byte[] content = new byte[Pages.SIZE];
        for (int i = 0; i < firstBytes.length; i++) {
            content[i] = (byte) firstBytes[i];
        }
        return content;
    }

    @Test
    void aDifferenceChangesWhatIsThere() {
        opens().sends(2, content(1, 2, 3)).sendsDifference(2, 1, 1, 9).sendsDifference(2, 2, 2, 8, 7);

        DestinationSession session = arrives(true, false);

        assertThat(failure).isEmpty();
        assertThat(page(2)).isEqualTo(content(1, 9, 8, 7));
        assertThat(session.stats().normalPages()).isEqualTo(3);
        assertThat(memory.asSink().received(0).cardinality()).isEqualTo(1);
    }

    @Test
    void neighboursAreTakenTogetherAndCounted() {
        opens().sends(0, content(1)).sends(1, content(2)).sends(2, content(3)).sendsZero(3);

        DestinationSession session = arrives(true, false);

        assertThat(failure).isEmpty();
        assertThat(page(1)).isEqualTo(content(2));
        assertThat(page(2)).isEqualTo(content(3));
        assertThat(session.stats().normalPages()).isEqualTo(3);
        assertThat(session.stats().zeroPages()).isEqualTo(1);
    }

    @Test
    void aZeroPageThatWasNeverTouchedMayChange() {
        opens().sendsZero(1).sendsDifference(1, 0, 1, 5);

        arrives(true, false);

        assertThat(failure).isEmpty();
        assertThat(page(1)).isEqualTo(content(5));
    }

    @Test
    void aZlibStreamTakesThePagesPlace() {
        opens().sends(2, content(1, 2, 3)).sendsZlib(2, content(4)).sendsZlib(3, content(0, 6));

        arrives(false, true);

        assertThat(failure).isEmpty();
        assertThat(page(2)).isEqualTo(content(4));
        assertThat(page(3)).isEqualTo(content(0, 6));
        assertThat(memory.asSink().received(0).cardinality()).isEqualTo(2);
    }

    @Test
    void theDifferenceToAPageThatNeverCameIsRefused() {
        opens().sends(0, content(1)).sendsDifference(1, 0, 1, 5);

        arrives(true, false);

        assertThat(failure).contains("xbzrle: a difference to what never came (page 1 of 'a')");
        assertThat(memory.asSink().received(0).get(1)).isFalse();
    }

    @Test
    void aWrongDifferenceChangesNothingOfItsPage() {
        opens().sends(2, content(1, 2, 3)).sendsDifference(2, 0, 1, 9, 1, 0);

        arrives(true, false);

        assertThat(failure).contains("main channel, byte ").contains("an nzrun of 0 bytes (page 2 of 'a')");
        assertThat(page(2)).isEqualTo(content(1, 2, 3));
    }

    @Test
    void aWrongZlibStreamChangesNothingOfItsPage() {
        opens().sends(2, content(1, 2, 3)).sendsZlib(2, new byte[Pages.SIZE + 1]);

        arrives(true, true);

        assertThat(failure).contains("holds more than a page (page 2 of 'a')");
        assertThat(page(2)).isEqualTo(content(1, 2, 3));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsOffHereIsRefusedByName(boolean difference) {
        opens().sends(2, content(1, 2, 3));
        if (difference) {
            sendsDifference(2, 0, 1, 5);
        } else {
            sendsZlib(2, content(5));
        }

        arrives(!difference, difference);

        assertThat(failure)
                .contains(
                        (difference ? "xbzrle" : "compress") + " is off here; switch it on here, or off at the source");
        assertThat(page(2)).isEqualTo(content(1, 2, 3));
    }

    @Test
    void inPostcopyTheyBreakTheChannelAndNothingElse() {
        StreamMessage end = new StreamMessage.EndOfRecords();
        opens().sends(2, content(1, 2, 3)).say(end, new StreamMessage.Footer(1));
        say(new PackagedBlob(new byte[0], List.of(3)).encode(), new StreamMessage.SectionPart(1));
        sendsDifference(2, 0, 1, 5);

        DestinationSession session = arrives(true, false);

        assertThat(failure).contains("an encoded page may not come in postcopy");
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(page(2)).isEqualTo(content(1, 2, 3));
    }
}
