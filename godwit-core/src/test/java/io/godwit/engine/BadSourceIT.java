// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnGuest;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A source that is broken, hostile or somebody else, against a destination that waits for one: one clear sentence, and afterwards a good one completes there. */
@Timeout(60)
class BadSourceIT {
    private static final List<BlockInfo> LIST = ChurnGuest.blocks(Pair.MIB);
    private static final long SILENCE_MILLIS = 200;

    /** These are no migration at all: they cost a notice. */
    static List<Arguments> strangers() {
        return List.of(
                stranger("says nothing", peer -> {}, "it was silent"),
                stranger("stops inside the magic", peer -> peer.text("QEV"), "its first message was not complete"),
                stranger("speaks HTTP", peer -> peer.text("GET / HTTP/1.1\r\n\r\n"), "what it sends is no migration"),
                stranger(
                        "speaks TLS",
                        peer -> peer.bytes(0x16, 3, 1, 2, 0),
                        "it speaks TLS, and tls-creds is not set here"),
                stranger("is a multifd channel", peer -> peer.bytes(0x11, 0x22, 0x33, 0x44), "multifd"),
                stranger("wants to recover", Raw::askBitmaps, "recover a migration that is not known here"),
                stranger("resumes", peer -> peer.say(new StreamMessage.PostcopyResume()), "not known here"),
                stranger("sends a page", peer -> peer.record(0, 1), "it sends pages in setup"),
                stranger(
                        "sends a page of no block",
                        peer -> peer.bytes(0, 0, 0, 0, 0, 0, 0x10, 2, 1, 'x', 0),
                        "no migration"));
    }

    private static Arguments stranger(String name, Raw.Deed deed, String sentence) {
        return Arguments.of(name, deed, sentence);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("strangers")
    void aStrangerIsDroppedAndTheSourceIsStillAwaited(String name, Raw.Deed deed, String sentence) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                Raw peer = Raw.connect(pair.listen, pair.sourceGuest.memory().blocks())) {
            pair.destination.setParameters(BadSourceIT::impatient);
            deed.with(peer);
            pair.dst.awaitNotice(sentence);
            peer.hearOut();
            assertThat(pair.dst.status()).isEqualTo(MigrationStatus.SETUP);
            assertThat(pair.destination.info().extra().strayConnections()).isEqualTo(1);
            completes(pair);
        }
    }

    private static Parameters impatient(Parameters p) {
        return new Parameters(0, 0, p.downtimeLimitMillis(), 0, SILENCE_MILLIS, 10_000, 50);
    }

    /** These begin a migration and then go wrong: it fails. The guest that was here before is as it was, and the next migration is as good as any. */
    static List<Arguments> sources() {
        return List.of(
                source("is older", peer -> peer.bytes(0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 2), "stream version 2"),
                source("is newer", peer -> peer.bytes(0x51, 0x45, 0x56, 0x4d, 0, 0, 0, 4), "stream version 4"),
                source(
                        "is another machine",
                        peer -> peer.open("pc-q35-10.0", false, LIST),
                        "'pc-q35-10.0'.*'godwit-churn'"),
                source(
                        "is on huge pages",
                        peer -> named(peer)
                                .say(new StreamMessage.OpenReturnPath())
                                .say(new StreamMessage.PostcopyAdvise(0x201000, 4096)),
                        "0x201000.*huge pages are not handled"),
                source(
                        "lies about its name's length",
                        peer -> header(peer).bytes(7, 0xff, 0xff, 0xff, 0xff),
                        "machine name of 4294967295"),
                source(
                        "has a block of another size",
                        peer -> peer.open(ChurnGuest.MACHINE, false, ChurnGuest.blocks(2 * Pair.MIB)),
                        "'churn.ram' has 2097152 bytes.*1048576 here"),
                source(
                        "has a block that is unknown here",
                        peer -> peer.open(ChurnGuest.MACHINE, false, other()),
                        "'pc.ram'.*does not exist here"),
                source(
                        "lacks a block",
                        peer -> peer.open(ChurnGuest.MACHINE, false, LIST.subList(0, 2)),
                        "2 RAM blocks, there are 3"),
                source(
                        "has too much RAM",
                        peer -> named(peer)
                                .say(StreamMessage.SectionStart.ram(1))
                                .bytes(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 4),
                        "bytes of RAM"),
                source("sends a page before the list", peer -> named(peer).say(Raw.PART), "(?i)part|ram"),
                source(
                        "sends the list twice",
                        peer -> opened(peer).say(StreamMessage.SectionStart.ram(1)),
                        "(?i)start"),
                source(
                        "sends a page past the end",
                        peer -> opened(peer).say(Raw.PART).bytes(page(1L << 40)).bytes(new byte[Pages.SIZE]),
                        "(?i)past|beyond|end"),
                source(
                        "sends a page of no block",
                        peer -> opened(peer).say(Raw.PART).bytes(0, 0, 0, 0, 0, 0, 0x10, 2, 1, 'x', 0),
                        "'x'"),
                source(
                        "goes on in no block",
                        peer -> opened(peer).say(Raw.PART).bytes(0, 0, 0, 0, 0, 0, 0x10, 0x22, 0),
                        "(?i)block"),
                source(
                        "hangs up inside a page",
                        peer -> opened(peer)
                                .say(Raw.PART)
                                .bytes(page(0))
                                .bytes(new byte[100])
                                .done(),
                        "ended the connection"),
                source("hangs up at once", peer -> header(peer).done(), "ended the connection"),
                source(
                        "is done before it began",
                        peer -> opened(peer).say(new StreamMessage.EndOfStream()),
                        "before the END of ram"),
                source(
                        "sends no page",
                        peer -> opened(peer)
                                .say(
                                        new StreamMessage.SectionEnd(1),
                                        Raw.END_OF_RECORDS,
                                        Raw.FOOTER,
                                        new StreamMessage.EndOfStream()),
                        "576 pages never came"),
                source("uses an unknown command", peer -> opened(peer).bytes(8, 0, 77, 0, 0), "unknown command 77"),
                source(
                        "sends a long PING",
                        peer -> opened(peer).bytes(8, 0, 2, 0, 5, 1, 2, 3, 4, 5),
                        "payload of 5 bytes"),
                source(
                        "listens too early",
                        peer -> opened(peer).say(new StreamMessage.PostcopyListen()),
                        "PostcopyListen in active"),
                source(
                        "runs too early",
                        peer -> opened(peer).say(new StreamMessage.PostcopyRun()),
                        "PostcopyRun in active"),
                source(
                        "resumes what never was",
                        peer -> opened(peer).say(new StreamMessage.PostcopyResume()),
                        "PostcopyResume in active"),
                source("asks for a bitmap", peer -> opened(peer).askBitmaps(), "RECV_BITMAP.*in active"),
                source(
                        "discards unadvised",
                        peer -> header(peer)
                                .say(
                                        StreamMessage.Configuration.of(ChurnGuest.MACHINE),
                                        StreamMessage.SectionStart.ram(1),
                                        StreamMessage.MemSize.of(LIST),
                                        Raw.END_OF_RECORDS,
                                        Raw.FOOTER,
                                        discard(0, Pages.SIZE)),
                        "RamDiscard in active"),
                source(
                        "discards past the end",
                        peer -> opened(peer).say(discard(Pair.MIB, Pages.SIZE)),
                        "range 0x100000"),
                source("discards half a page", peer -> opened(peer).say(discard(0, 100)), "not of whole pages"),
                source(
                        "packages too much",
                        peer -> opened(peer).bytes(8, 0, 7, 0, 4, 0xff, 0xff, 0xff, 0xff),
                        "PACKAGED blob of 4294967295"),
                source(
                        "packages nonsense",
                        peer -> opened(peer).say(new StreamMessage.Packaged(new byte[64])),
                        "does not begin with LISTEN"),
                source(
                        "packages nothing",
                        peer -> opened(peer).say(new StreamMessage.Packaged(new byte[0])),
                        "PACKAGED"),
                source(
                        "packages no devices",
                        peer -> opened(peer).say(new PackagedBlob(new byte[0], List.of(3)).encode()),
                        "device state"),
                source(
                        "hangs up inside the package",
                        peer -> opened(peer)
                                .bytes(half(new PackagedBlob(new byte[0], List.of(3)).encode()))
                                .done(),
                        "ended the connection"));
    }

    private static Arguments source(String name, Raw.Deed deed, String sentence) {
        return Arguments.of(name, deed, sentence);
    }

    private static Raw header(Raw peer) {
        return peer.say(new StreamMessage.Header());
    }

    private static Raw named(Raw peer) {
        return header(peer).say(StreamMessage.Configuration.of(ChurnGuest.MACHINE));
    }

    private static Raw opened(Raw peer) {
        return peer.open(ChurnGuest.MACHINE, true, LIST);
    }

    private static List<BlockInfo> other() {
        return List.of(BlockInfo.of("pc.ram", Pair.MIB), LIST.get(1), LIST.get(2));
    }

    /** The word and name of a page of the first block, without its bytes. */
    private static byte[] page(long offset) {
        byte[] name = LIST.getFirst().name().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(9 + name.length)
                .putLong(offset | 8)
                .put((byte) name.length)
                .put(name)
                .array();
    }

    private static StreamMessage discard(long start, long length) {
        return new StreamMessage.RamDiscard(LIST.getFirst().name(), List.of(new StreamMessage.Range(start, length)));
    }

    private static byte[] half(StreamMessage message) {
        byte[] all = StreamEncoder.bytes(message);
        return Arrays.copyOf(all, all.length / 2);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sources")
    void aMigrationThatGoesWrongFailsAndTheNextOneCompletes(String name, Raw.Deed deed, String sentence)
            throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                Raw peer = Raw.connect(pair.listen, pair.sourceGuest.memory().blocks())) {
            deed.with(peer);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc())
                    .containsPattern(sentence)
                    .doesNotContain("Exception");
            assertThat(pair.destination.runState()).isEqualTo("inmigrate");
            peer.hearOut();
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    @Test
    void onePageIsWorthNothingAndWhatCameIsForgotten() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                Raw peer = Raw.connect(pair.listen, pair.sourceGuest.memory().blocks())) {
            opened(peer)
                    .say(Raw.PART)
                    .bytes(page(0))
                    .bytes(new byte[Pages.SIZE])
                    .say(Raw.END_OF_RECORDS, Raw.FOOTER)
                    .done();
            pair.dst.await(MigrationStatus.FAILED);
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    @Test
    void whoAsksAndNeverReadsIsDropped() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                Raw peer = Raw.connect(pair.listen, pair.sourceGuest.memory().blocks())) {
            opened(peer);
            peer.flood(StreamEncoder.bytes(new StreamMessage.Ping(7)), 500, 10_000_000);
            pair.dst.await(MigrationStatus.FAILED);
            assertThat(pair.destination.info().errorDesc()).contains("asks and does not read the answers");
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    private static void completes(Pair pair) throws Exception {
        pair.parameters(Pair::fast);
        pair.source.migrate(pair.target, false);
        pair.bothCompleted();
        pair.verifyDestination();
    }
}
