// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnOptions;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.PageRecord;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A destination that is broken, hostile or somebody else: before the commit point the guest stays where it is, after it nothing is thrown away. */
@Timeout(60)
class BadDestinationIT {
    private static final long LIVENESS_MILLIS = 400;

    private static Arguments destination(String name, Raw.Deed deed, String sentence) {
        return Arguments.of(name, deed, sentence);
    }

    private static Parameters watchful(Parameters p) {
        return new Parameters(1, 1, p.downtimeLimitMillis(), 0, 300, LIVENESS_MILLIS, 50);
    }

    static List<Arguments> inPrecopy() {
        return List.of(
                destination("hangs up", Raw::hangUp, "ended the connection|reset the connection"),
                destination("listens and says nothing", peer -> {}, "left a PING unanswered for 400 ms"),
                destination(
                        "answers and falls silent",
                        peer -> peer.until(StreamMessage.MemSize.class),
                        "left a PING unanswered"),
                destination("says something unknown", peer -> peer.bytes(0, 99, 0, 0), "unknown message 99"),
                destination("says nothing of type 0", peer -> peer.bytes(0, 0, 0, 4, 0, 0, 0, 0), "unknown message 0"),
                destination("lies about a length", peer -> peer.bytes(0, 2, 0xff, 0xff), "payload of 65535 bytes"),
                destination(
                        "speaks HTTP",
                        peer -> peer.text("HTTP/1.1 400 Bad Request\r\n\r\n"),
                        "unknown message|payload of"),
                destination(
                        "is done before it began",
                        peer -> peer.answer(new ReturnPathMessage.Shut(0)),
                        "status 0 before the switchover"),
                destination(
                        "has failed",
                        peer -> peer.answer(new ReturnPathMessage.Shut(1)),
                        "status 1 before the switchover"),
                destination(
                        "wants a page",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("churn.ram", 0, Pages.SIZE)),
                        "asked for a page in (active|device)"),
                destination(
                        "goes on unasked",
                        peer -> peer.answer(new ReturnPathMessage.ResumeAck(1)),
                        "RESUME_ACK 1 in active"),
                destination("has a bitmap", peer -> peer.answer(bitmap(0)), "received bitmap in active|never sent"));
    }

    private static ReturnPathMessage bitmap(int block) {
        return new ReturnPathMessage.RecvBitmap(block, new PageBitmap(256));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inPrecopy")
    void beforeTheCommitPointTheGuestGoesOnAndMovesElsewhere(String name, Raw.Deed deed, String sentence)
            throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(BadDestinationIT::watchful);
            pair.source.migrate(port.address(), false);
            try (Raw peer = port.accept()) {
                deed.with(peer);
                pair.src.await(MigrationStatus.FAILED);
            }
            assertThat(pair.source.info().errorDesc()).containsPattern(sentence).doesNotContain("Exception");
            assertThat(pair.source.runState()).isEqualTo("running");
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    private static RawPort port(Pair pair) throws Exception {
        return new RawPort(
                pair.folder.resolve("raw.sock"), pair.sourceGuest.memory().blocks());
    }

    static List<Arguments> inPostcopy() {
        return List.of(
                destination("hangs up", Raw::hangUp, "ended the connection|reset the connection"),
                destination("falls silent", peer -> {}, "left a PING unanswered"),
                destination(
                        "wants a page past the end",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("churn.ram", Pair.MIB, Pages.SIZE)),
                        "1048576"),
                destination(
                        "wants half a page",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("churn.ram", 0, 100)),
                        "100"),
                destination(
                        "wants a page of no block",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("pc.ram", 0, Pages.SIZE)),
                        "'pc.ram'"),
                destination(
                        "wants a page of it knows not what",
                        peer -> peer.answer(new ReturnPathMessage.ReqPages(0, Pages.SIZE)),
                        "(?i)block"),
                destination(
                        "wants nothing",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("churn.ram", 0, 0)),
                        " 0 "),
                destination(
                        "is done too early",
                        peer -> peer.answer(new ReturnPathMessage.Shut(0)),
                        "status 0 before everything was sent"),
                destination(
                        "goes on unasked",
                        peer -> peer.answer(new ReturnPathMessage.ResumeAck(1)),
                        "RESUME_ACK 1 in postcopy-active"),
                destination("has a bitmap", peer -> peer.answer(bitmap(0)), "bitmap in postcopy-active"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inPostcopy")
    void afterTheCommitPointTheSourceKeepsEverything(String name, Raw.Deed deed, String sentence) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(BadDestinationIT::watchful);
            try (Raw first = moved(pair, port)) {
                deed.with(first);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                assertThat(pair.source.info().errorDesc())
                        .containsPattern(sentence)
                        .doesNotContain("Exception");
                assertThat(pair.source.runState()).isEqualTo("finish-migrate");
                takesAll(pair, port);
            }
        }
    }

    /** A destination that has the guest, and the source knows it. */
    private static Raw moved(Pair pair, RawPort port) throws Exception {
        pair.source.migrate(port.address(), false);
        pair.source.migrateStartPostcopy();
        Raw peer = port.accept();
        peer.until(StreamMessage.Packaged.class);
        peer.answer(new ReturnPathMessage.Pong(3));
        pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);
        Pair.eventually("the source knows", () -> pair.source.info().downtimeMillis() >= 0);
        return peer;
    }

    /** The same destination comes to its senses: it recovers, claims no page, and gets every one. */
    private static void takesAll(Pair pair, RawPort port) throws Exception {
        pair.source.setParameters(Pair::fast);
        pair.source.migrate(port.address(), true);
        try (Raw again = port.accept()) {
            again.recovers().claimNothing().until(StreamMessage.PostcopyResume.class);
            again.answer(new ReturnPathMessage.ResumeAck(1));
            long[] pages = {0};
            again.until(message -> {
                pages[0] += message instanceof PageRecord ? 1 : 0;
                return message instanceof StreamMessage.EndOfStream;
            });
            assertThat(pages[0]).isEqualTo(blocks(pair).totalPages());
            again.answer(new ReturnPathMessage.Shut(0));
            pair.src.await(MigrationStatus.COMPLETED);
        }
    }

    private static BlockTable blocks(Pair pair) {
        return pair.sourceGuest.memory().blocks();
    }

    static List<Arguments> inRecovery() {
        return List.of(
                destination("hangs up", Raw::hangUp, "ended the connection|reset the connection"),
                destination("falls silent", peer -> {}, "too long in postcopy-recover"),
                destination(
                        "falls silent inside a bitmap",
                        peer -> peer.bytes(0, 5, 0, 10, 9).text("churn.ram").bytes(0, 0, 0, 0, 0, 0, 0, 32, 1),
                        "too long in postcopy-recover"),
                destination(
                        "claims a page that was never sent",
                        peer -> peer.answer(claim(7)),
                        "claims to have page 7 of block 'churn.ram'"),
                destination(
                        "has another block's size",
                        peer -> peer.bytes(0, 5, 0, 10, 9).text("churn.ram").bytes(0, 0, 0, 0, 0, 0, 0, 40),
                        "40"),
                destination(
                        "has a huge bitmap",
                        peer -> peer.bytes(0, 5, 0, 10, 9).text("churn.ram").bytes(0xff, 0, 0, 0, 0, 0, 0, 0),
                        "(?i)bitmap"),
                destination(
                        "ends a bitmap wrongly",
                        peer -> peer.bytes(0, 5, 0, 10, 9)
                                .text("churn.ram")
                                .bytes(0, 0, 0, 0, 0, 0, 0, 32)
                                .bytes(new byte[32])
                                .bytes(0, 1, 2, 3, 4, 5, 6, 7),
                        "ends with 0x"),
                destination(
                        "has a bitmap of no block",
                        peer -> peer.bytes(0, 5, 0, 7, 6).text("pc.ram").bytes(0, 0, 0, 0, 0, 0, 0, 32),
                        "'pc.ram'"),
                destination("has one bitmap twice", peer -> peer.answer(bitmap(0), bitmap(0)), "twice"),
                destination(
                        "goes on too early",
                        peer -> peer.answer(new ReturnPathMessage.ResumeAck(1)),
                        "RESUME_ACK 1 in postcopy-recover"),
                destination(
                        "does not want to go on",
                        peer -> peer.claimNothing().answer(new ReturnPathMessage.ResumeAck(0)),
                        "RESUME_ACK 0"),
                destination(
                        "is done", peer -> peer.answer(new ReturnPathMessage.Shut(0)), "status 0 inside the recovery"),
                destination(
                        "wants a page",
                        peer -> peer.answer(new ReturnPathMessage.ReqPagesId("churn.ram", 0, Pages.SIZE)),
                        "asked for a page in postcopy-recover"),
                destination(
                        "never had the guest",
                        peer -> peer.answer(new ReturnPathMessage.Shut(0x47570000)),
                        "inside the recovery|never had the guest"));
    }

    /** A bitmap of the first block with one page in it. */
    private static ReturnPathMessage claim(long page) {
        PageBitmap received = new PageBitmap(256);
        received.set(page);
        return new ReturnPathMessage.RecvBitmap(0, received);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inRecovery")
    void whateverARecoveryMeetsTheTrueDestinationIsStillThere(String name, Raw.Deed deed, String sentence)
            throws Exception {
        try (Pair pair = new Pair(Pair.TINY.withWriters(0, 0), Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.source.setParameters(BadDestinationIT::watchful);
            pair.source.migrate(port.address(), true);
            try (Raw peer = port.accept().recovers()) {
                deed.with(peer);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            }
            assertThat(pair.source.info().errorDesc()).containsPattern(sentence).doesNotContain("Exception");
            pair.recoverAndVerify();
        }
    }

    /** A page asked for a hundred thousand times is sent once, and who asks is served in between. */
    @Test
    void aFloodOfRequestsForOnePageCostsNothing() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(Pair::slow);
            try (Raw first = moved(pair, port)) {
                ReturnPathEncoder encoder = new ReturnPathEncoder(blocks(pair));
                first.answer(new ReturnPathMessage.ReqPagesId("churn.ram", 0, Pages.SIZE));
                long said = first.flood(encoder.bytes(new ReturnPathMessage.ReqPages(0, Pages.SIZE)), 2_000, 100_000);
                assertThat(said).isEqualTo(100_000);
                first.answer(new ReturnPathMessage.ReqPages(4 * Pages.SIZE, Pages.SIZE));
                long[] pages = {0};
                first.until(message -> message instanceof PageRecord page && pages[0]++ >= 0 && page.page() == 4);
                assertThat(pages[0]).as("the first page and the other one").isEqualTo(2);
                first.hangUp();
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                takesAll(pair, port);
            }
        }
    }

    /** Answers that nobody asked for keep a source neither from its work nor from its operator. */
    @Test
    void aFloodOfPongsCostsNothing() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(Pair::slow);
            pair.source.migrate(port.address(), false);
            try (Raw peer = port.accept()) {
                peer.flood(new ReturnPathEncoder(blocks(pair)).bytes(new ReturnPathMessage.Pong(0)), 2_000, 300_000);
                assertThat(pair.source.info().status()).isEqualTo(MigrationStatus.ACTIVE);
                pair.source.migrateCancel();
                pair.src.await(MigrationStatus.CANCELLED);
            }
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** Back-pressure is no answer: a destination that takes nothing is as good as gone, wherever the migration stands. */
    @Test
    void whoNeverReadsIsGivenUpInPrecopy() throws Exception {
        try (Pair pair = new Pair(ChurnOptions.of(16 * Pair.MIB), Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(p -> new Parameters(0, 0, 300, 0, 300, LIVENESS_MILLIS, 50));
            pair.source.migrate(port.address(), false);
            try (Raw peer = port.accept()) {
                // It has answered every PING when it stops to read: the next one waits behind pages.
                peer.until(message -> message instanceof PageRecord page && page.page() == 8);
                pair.src.await(MigrationStatus.FAILED);
                assertThat(pair.source.info().errorDesc()).contains("400 ms");
            }
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void whoNeverReadsIsGivenUpInPostcopy() throws Exception {
        try (Pair pair = new Pair(ChurnOptions.of(16 * Pair.MIB), Pair.postcopy(false));
                RawPort port = port(pair)) {
            pair.source.setParameters(p -> new Parameters(1, 0, 300, 0, 300, LIVENESS_MILLIS, 50));
            try (Raw first = moved(pair, port)) {
                first.until(message -> message instanceof PageRecord page && page.page() == 8);
                pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
                assertThat(pair.source.info().errorDesc()).contains("400 ms");
                takesAll(pair, port);
            }
        }
    }

    /** The guest is stopped and what is still to be sent is more than the network holds: the wait for room must end, or the guest would stand still for ever. */
    @Test
    void whoStopsToReadAtTheSwitchoverIsGivenUp() throws Exception {
        ChurnOptions busy = ChurnOptions.of(32 * Pair.MIB).withWriters(2, 40_000);
        try (Pair pair = new Pair(busy, Pair.postcopy(false));
                RawPort port = port(pair)) {
            // A first pass of half a second, so that most pages are dirty behind it however slow the writers are.
            pair.source.setParameters(p -> new Parameters(64 << 20, 0, 60_000, 0, 300, LIVENESS_MILLIS, 50));
            pair.source.migrate(port.address(), false);
            try (Raw peer = port.accept()) {
                peer.until(message -> pair.src.states().contains("STOP"));
                pair.src.await(MigrationStatus.FAILED);
                assertThat(pair.src.states()).contains("device");
                Pair.eventually("the guest runs", pair.sourceGuest::isRunning);
            }
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }
}
