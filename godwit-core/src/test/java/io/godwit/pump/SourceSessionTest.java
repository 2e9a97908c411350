// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdDecoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.MultifdPage;
import io.godwit.wire.MultifdSetup;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A source that is answered in bytes: what becomes of a request, of words on channels that carry none, and of memory that cannot be read. */
class SourceSessionTest extends SourceTalk {
    // ---- requests

    @ParameterizedTest
    @CsvSource({
        "vga.vram,0,4096,no RAM block is named",
        "a,0,0,0 bytes at 0x0",
        "a,-4096,4096,4096 bytes at 0xfffffffffffff000",
        "a,512,4096,4096 bytes at 0x200",
        "a,0,512,512 bytes at 0x0",
        "b,4096,4096,4096 bytes at 0x1000",
        "b,0,8192,8192 bytes at 0x0",
        "a,0,-4096,4294963200 bytes at 0x0",
    })
    void aRequestForWhatIsNoPagePausesAndTheSentenceNamesIt(String block, long offset, int length, String sentence)
            throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        says(session, new ReturnPathMessage.ReqPagesId(block, offset, length));
        assertThat(failure).contains(sentence).contains("'" + block + "'");
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(session.stats().requests()).isZero();
        assertThat(session.machine().holdsGuestData()).as("all is kept").isTrue();
    }

    @Test
    void aRequestInPrecopyIsNoRequest() {
        SourceSession session = session(POSTCOPY);
        session.operator(new SourceInput.Migrate(), now);
        connected(session);
        says(session, new ReturnPathMessage.ReqPagesId("a", 0, Pages.SIZE));
        assertThat(failure).contains("the destination asked for a page in active");
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.FAILED);
        assertThat(session.stats().requests()).isZero();
    }

    @Test
    void aRequestWithoutANameBeforeAnyNameIsRefused() throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        says(session, new ReturnPathMessage.ReqPages(0, Pages.SIZE));
        assertThat(failure).contains("no REQ_PAGES_ID has named a block on this connection");
    }

    /** More than a section holds: each of them leaves before anything that nobody has asked for. */
    @Test
    void allThatWasRequestedLeavesFirstInItsOrder() throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        says(session, new ReturnPathMessage.ReqPagesId("a", 200L * Pages.SIZE, 40 * Pages.SIZE));
        says(session, new ReturnPathMessage.ReqPagesId("b", 0, Pages.SIZE));
        says(session, new ReturnPathMessage.ReqPagesId("a", 100L * Pages.SIZE, 2 * Pages.SIZE));
        says(session, new ReturnPathMessage.ReqPages(150L * Pages.SIZE, Pages.SIZE));
        flush(session);
        List<Long> requested = new ArrayList<>();
        for (long page = 200; page < 240; page++) {
            requested.add(page);
        }
        requested.addAll(List.of((long) PAGES, 100L, 101L, 150L));
        assertThat(pagesSent.subList(0, requested.size())).isEqualTo(requested);
        assertThat(pagesSent).as("each once").hasSize(PAGES + 1).doesNotHaveDuplicates();
        assertThat(sent.getLast()).as("and then the end").isInstanceOf(StreamMessage.EndOfStream.class);
    }

    /** What the kernel does not take is not made, however much is asked for. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void requestedPagesWaitForAKernelThatTakesNothing(boolean preempt) throws WireException {
        SourceSession session = postcopy(preempt ? PREEMPT : POSTCOPY);
        says(session, new ReturnPathMessage.ReqPagesId("a", 0, PAGES * Pages.SIZE));
        session.produce(now);
        long first = session.remainingBytes();
        session.produce(now);
        session.produce(now);
        int channel = connections.lastIndexOf(preempt ? Channel.PREEMPT : Channel.MAIN);
        assertThat(Objects.requireNonNull(session.outbox(channel)).pending()).isBetween(64L << 10, 600L << 10);
        assertThat(session.remainingBytes())
                .as("bytes not sent")
                .isEqualTo(first)
                .isGreaterThan(100L * Pages.SIZE);
    }

    // ---- words where none belong

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDestinationThatWritesToAChannelOfPagesLosesIt(boolean preempt) throws WireException {
        SourceSession session = session(preempt ? PREEMPT : MULTIFD);
        session.operator(new SourceInput.Migrate(), now);
        connected(session);
        int channel = connections.lastIndexOf(preempt ? Channel.PREEMPT : Channel.MULTIFD);
        ByteBuffer nothing = ByteBuffer.allocate(0);
        session.received(channel, nothing, now);
        assertThat(failure).as("nothing was said").isEmpty();
        session.received(channel, ByteBuffer.wrap(new byte[] {1}), now);
        assertThat(failure)
                .contains("the destination wrote to " + (preempt ? "the preempt channel" : "a multifd channel"));
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.FAILED);
    }

    @Test
    void multifdChannelsSayTheMachinesUuid() {
        UUID uuid = new UUID(0x0102, 0x0304);
        SourceSession session = session(
                POSTCOPY.withMultifd(MultifdParameters.DEFAULT.withChannels(2).withUuid(uuid)));
        session.operator(new SourceInput.Migrate(), now);
        connected(session);
        connected(session);
        for (int channel = 1; channel <= 2; channel++) {
            ByteBuffer head = Objects.requireNonNull(
                    Objects.requireNonNull(session.outbox(channel)).head());
            assertThat(new UUID(head.getLong(8), head.getLong(16)))
                    .as("channel %s", channel)
                    .isEqualTo(uuid);
        }
    }

    /** What a connection that was given up still had to say. */
    @Test
    void whoIsNobodyAnyMoreIsNotListenedTo() throws WireException {
        SourceSession session = postcopy(PREEMPT);
        int former = main();
        session.broken(former, "reset", now);
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        session.operator(new SourceInput.Resume(), now);
        String before = session.machine().fingerprint(now);
        ByteBuffer late = ByteBuffer.wrap(answers.bytes(new ReturnPathMessage.Shut(0)));
        session.received(former, late, now);
        session.written(former, now);
        session.connected(former, now);
        session.broken(former, "reset again", now);
        assertThat(session.ended(former, now)).isFalse();
        assertThat(session.outbox(former)).isNull();
        assertThat(late.hasRemaining()).as("it is not offered again").isFalse();
        assertThat(session.machine().fingerprint(now)).isEqualTo(before);
    }

    /** -1 stands for a channel that isn't there, and none of those has bytes to write. */
    @Test
    void noConnectionIsNoChannel() throws WireException {
        assertThat(session(PREEMPT).outbox(-1)).isNull();
        SourceSession multifd = postcopy(MULTIFD);
        multifd.broken(connections.indexOf(Channel.MULTIFD), "reset", now);
        assertThat(multifd.machine().status())
                .as("it was not needed any more")
                .isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        assertThat(multifd.outbox(-1)).isNull();
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).listening()) {
            assertThat(talk.session.outbox(-1)).isNull();
        }
    }

    // ---- memory and devices

    /** A damaged page is never sent: the postcopy pauses with the sentence, and what was whole has left. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDamagedPageIsNeverSent(boolean preempt) throws WireException {
        SourceSession session = postcopy(preempt ? PREEMPT : POSTCOPY);
        memory.damage(5);
        says(session, new ReturnPathMessage.ReqPagesId("a", 4L * Pages.SIZE, 3 * Pages.SIZE));
        session.produce(now);
        assertThat(failure).contains("page 5 is damaged");
        assertThat(session.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(pagesSent).doesNotContain(5L);
    }

    /** It is not waited for: what comes before it leaves, a request is answered meanwhile, and nothing is sent that holds no page. */
    @Test
    void aPageThatIsBeingReadHoldsUpNothingElse() throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        memory.reads(20);
        flush(session);
        assertThat(pagesSent)
                .containsExactlyElementsOf(LongStream.range(0, 20).boxed().toList());
        session.tick(now); // a PING is due
        flush(session);
        assertThat(session.nextTick(now)).as("until it is woken").isGreaterThan(now);
        int words = sent.size();
        flush(session);
        assertThat(sent).hasSize(words);

        memory.reads(122);
        says(session, new ReturnPathMessage.ReqPagesId("a", 120L * Pages.SIZE, 2 * Pages.SIZE));
        flush(session);
        assertThat(pagesSent).hasSize(22).endsWith(120L, 121L);

        memory.reads(-1);
        flush(session);
        assertThat(pagesSent).hasSize(PAGES + 1).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void neighboursThatAreAtHandGoTogetherEachOnceAndCounted(boolean lent) throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        memory.givesTogether(7);
        memory.lends(lent);
        while (pagesSent.size() < PAGES + 1) {
            int before = pagesSent.size();
            flush(session);
            assertThat(pagesSent).hasSizeGreaterThan(before);
        }

        assertThat(pagesSent.subList(0, PAGES))
                .containsExactlyElementsOf(LongStream.range(0, PAGES).boxed().toList());
        assertThat(pagesSent).hasSize(PAGES + 1);
        assertThat(session.stats().normalPages()).isEqualTo(PAGES + 1);
        assertThat(session.stats().postcopyBytes()).as("bytes of pages").isGreaterThan((PAGES + 1L) * Pages.SIZE);
        assertThat(memory.lent()).as("loans that are not back").isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void neighboursAreHeldBackByTheBandwidth(boolean lent) throws WireException {
        memory.givesTogether(7);
        memory.lends(lent);
        SourceSession session = session(POSTCOPY);
        session.parameters(new Parameters(1 << 20, 0, 300, 0, 0, 0, 1_000));
        assertThat(session.operator(new SourceInput.Migrate(false), now)).isNull();
        connected(session);
        flush(session);
        assertThat(pagesSent).isEmpty();
        now += 1_000_000_000;
        for (int i = 0; i < 5; i++) {
            flush(session);
        }
        assertThat(pagesSent).as("pages of the first 64 KiB").hasSizeBetween(14, 17);
        now += 100_000_000;
        flush(session);
        assertThat(pagesSent).hasSizeGreaterThan(17);
    }

    /** A page that was lent to a connection that is no more. */
    @Test
    void whatIsLentComesBackWithTheConnection() throws WireException {
        SourceSession session = postcopy(POSTCOPY);
        memory.givesTogether(7);
        memory.lends(true);
        session.produce(now);
        assertThat(memory.lent()).isPositive();
        session.broken(main(), "reset", now);
        session.operator(new SourceInput.Resume(), now);
        connected(session);
        assertThat(memory.lent()).as("loans that are not back").isZero();
    }

    /** A packet has pages of one block and no more than it may have, and each channel has its sync point when the memory is over. */
    @ParameterizedTest
    @CsvSource({"0, false", "7, false", "200, false", "7, true", "50, true", "200, true"})
    void theSameOnMultifdChannels(int together, boolean lent) throws WireException {
        memory.givesTogether(together);
        memory.lends(lent);
        SourceSession session = session(MULTIFD);
        assertThat(session.operator(new SourceInput.Migrate(false), now)).isNull();
        connected(session);
        List<Long> pages = new ArrayList<>();
        try (MultifdDecoder one = decoder();
                MultifdDecoder two = decoder()) {
            List<MultifdMessage> last = new ArrayList<>(Collections.nCopies(2, null));
            for (int turn = 0; turn < 20; turn++) {
                now += 100_000_000; // bandwidth is limited
                session.produce(now);
                take(session, main());
                int first = connections.indexOf(Channel.MULTIFD);
                for (int channel = 0; channel < 2; channel++) {
                    ByteBuffer bytes = take(session, first + channel);
                    MultifdDecoder channelDecoder = channel == 0 ? one : two;
                    for (MultifdMessage m = channelDecoder.next(bytes); m != null; m = channelDecoder.next(bytes)) {
                        last.set(channel, m);
                        if (m instanceof MultifdPage page) {
                            assertThat(page.buffer().getLong(page.dataPosition()))
                                    .isEqualTo(EvenMemory.says(page.block(), page.page()));
                            pages.add(page.block() == 0 ? page.page() : PAGES);
                        }
                    }
                }
                if (turn == 10) {
                    session.guestStopped(now);
                }
            }
            assertThat(last).allMatch(MultifdMessage.Sync.class::isInstance);
        }
        assertThat(pages)
                .containsExactlyInAnyOrderElementsOf(
                        LongStream.rangeClosed(0, PAGES).boxed().toList());
        assertThat(session.stats().normalPages()).isEqualTo(PAGES + 1);
        assertThat(memory.loans() > 0).isEqualTo(lent);
        assertThat(memory.lent()).as("loans that are not back").isZero();
        assertThat(session.stats().multifdBytes()).isGreaterThan((PAGES + 1L) * Pages.SIZE);
    }

    private static MultifdDecoder decoder() {
        MultifdDecoder channel = new MultifdDecoder(new MultifdSetup(null, 2, MultifdCompression.NONE));
        channel.blocks(BLOCKS);
        return channel;
    }

    /** Longer than a chunk of the outbox: it goes out in pieces, and whole. */
    @Test
    void aLongDeviceStateGoesOutWhole() throws WireException {
        devices = new byte[3 * Outbox.CHUNK + 5];
        for (int i = 0; i < devices.length; i++) {
            devices[i] = (byte) (i * 31);
        }
        postcopy(POSTCOPY);
        assertThat(sent)
                .filteredOn(StreamMessage.Packaged.class::isInstance)
                .singleElement()
                .satisfies(packaged -> {
                    byte[] blob = ((StreamMessage.Packaged) packaged).blob();
                    assertThat(Arrays.copyOfRange(blob, 5, 5 + devices.length)).isEqualTo(devices);
                });
    }
}
