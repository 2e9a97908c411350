// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that nobody waits for, at a destination in any state: they are judged, told of, dropped, and cost nothing else. */
@Timeout(60)
class StrangerIT {
    private static Parameters hasty(Parameters p) {
        return new Parameters(1, 1, p.downtimeLimitMillis(), 0, 250, 10_000, 50);
    }

    private static BlockTable blocks(Pair pair) {
        return pair.sourceGuest.memory().blocks();
    }

    private static Raw knock(Pair pair) throws Exception {
        return Raw.connect(pair.listen, blocks(pair));
    }

    /** All kinds of strangers, one after the other; each is dropped before the next one comes. */
    private static void strangersCome(Pair pair) throws Exception {
        List<Raw.Deed> kinds = List.of(
                peer -> peer.text("GET / HTTP/1.1\r\n\r\n"),
                peer -> peer.bytes(0x16, 3, 1, 2, 0),
                peer -> peer.bytes(0x11, 0x22, 0x33, 0x44),
                peer -> peer.bytes(8, 0, 10, 0, 7, 6).text("pc.ram"),
                Raw::done);
        for (Raw.Deed kind : kinds) {
            try (Raw peer = knock(pair)) {
                kind.with(peer);
                peer.hearOut();
            }
        }
    }

    /** Who says nothing may be anybody, and without a deadline he stays; an operator can break that, too. */
    @Test
    void whoeverWaitsIsSentAwayByAYank() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false));
                Raw silent = knock(pair)) {
            Pair.eventually("he is there", () -> yanked(pair.destination));
            silent.hearOut();
            assertThat(yanked(pair.destination)).as("nobody is left").isFalse();
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
        }
    }

    private static boolean yanked(Endpoint endpoint) {
        try {
            endpoint.yank();
            return true;
        } catch (EndpointControl.CommandRefused nobody) {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void strangersChangeNothingInAnyState(boolean preempt) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(preempt))) {
            pair.parameters(Pair::slow);
            strangersCome(pair);
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            strangersCome(pair);
            pair.source.migrateStartPostcopy();
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            Pair.eventually("the source knows", () -> pair.source.info().downtimeMillis() >= 0);
            strangersCome(pair);
            pair.relay.cut();
            pair.bothPaused();
            strangersCome(pair);
            pair.fault("half-open");
            pair.source.migrate(pair.target, true);
            pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            strangersCome(pair);
            pair.source.migratePause();
            pair.bothPaused();
            pair.fault("none");
            pair.parameters(Pair::fast);
            pair.source.migrate(pair.target, true);
            pair.bothCompleted();
            strangersCome(pair);
            assertThat(pair.dst.states())
                    .containsExactly(
                            "setup",
                            "active",
                            "postcopy-active",
                            "RESUME",
                            "postcopy-paused",
                            "postcopy-recover",
                            "postcopy-paused",
                            "postcopy-recover",
                            "postcopy-active",
                            "completed");
            assertThat(pair.destination.info().extra().strayConnections()).isEqualTo(6 * 4);
            pair.verifyDestination();
        }
    }

    @Test
    void aSecondMigrationIsSentAwayWhileOneIsUnderWay() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            pair.dst.await(MigrationStatus.ACTIVE);
            try (Raw second = knock(pair)) {
                second.open("godwit-churn", true, blocks(pair).list());
                pair.dst.awaitNotice("it begins a migration, and the one here is in active");
                second.hearOut();
            }
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    /** The preempt channel says nothing before the first request: among silent strangers it is the first that came after main, and is spared. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFloodOfSilentConnectionsSparesThePreemptChannel(boolean inPostcopy) throws Exception {
        List<Raw> flood = new ArrayList<>();
        try (Pair pair = new Pair(Pair.TINY.withWriters(0, 0), Pair.postcopy(true))) {
            pair.parameters(p -> new Parameters(1, 1, 0, 0, 250, 10_000, 50));
            flood.add(knock(pair));
            pair.source.migrate(pair.target, false);
            if (inPostcopy) {
                pair.source.migrateStartPostcopy();
                pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            }
            pair.dst.await(MigrationStatus.ACTIVE, MigrationStatus.POSTCOPY_ACTIVE);
            Pair.eventually(
                    "main and preempt are there", () -> pair.relay.stats().open() == 2);
            for (int i = 0; i < 20; i++) {
                flood.add(knock(pair));
            }
            pair.dst.awaitNotice("silent");
            // Longer than a stranger may be silent.
            Pair.pause(400);
            assertThat(pair.src.states()).as(pair.src + "; " + pair.dst).doesNotContain("failed", "completed");
            if (!inPostcopy) {
                pair.source.migrateStartPostcopy();
            }
            pair.parameters(Pair::fast);
            pair.bothCompleted();
            assertThat(pair.src.states()).doesNotContain("postcopy-paused", "failed");
            pair.verifyDestination();
        } finally {
            for (Raw peer : flood) {
                peer.close();
            }
        }
    }

    @Test
    void aSilentConnectionIsDroppedAfterTheDeadlineWhilePaused() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(true))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.parameters(StrangerIT::hasty);
            try (Raw silent = knock(pair)) {
                pair.dst.awaitNotice("it was silent");
                silent.hearOut();
            }
            pair.recoverAndVerify();
        }
    }

    @Test
    void aNewerRecoverySupersedesAnUnfinishedOne() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            try (Raw first = knock(pair)) {
                first.askBitmaps().hear(ReturnPathMessage.RecvBitmap.class);
                pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
                pair.recoverAndVerify();
                pair.dst.awaitNotice("superseded by a newer connection");
                first.hearOut();
            }
        }
    }

    /** A connection that was made earlier and speaks later (it was stuck somewhere) is of no use any more. */
    @Test
    void anOlderConnectionDoesNotSupersedeANewerOne() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            try (Raw older = knock(pair)) {
                pair.destination.info();
                pair.destination.info();
                try (Raw newer = knock(pair)) {
                    newer.askBitmaps().hear(ReturnPathMessage.RecvBitmap.class);
                    older.askBitmaps();
                    pair.dst.awaitNotice("older");
                    older.hearOut();
                    newer.say(new StreamMessage.PostcopyResume());
                    newer.hear(ReturnPathMessage.ResumeAck.class);
                    pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
                }
            }
            pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
            pair.recoverAndVerify();
        }
    }

    /** The old channel may be dead without the destination's knowing: a recovery is held until the fate of that one is known. */
    @Test
    void aRecoveryThatComesBeforeTheOldChannelIsLostIsTakenUpAfterwards() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            try (Raw early = knock(pair)) {
                early.askBitmaps();
                pair.destination.info();
                pair.destination.info();
                assertThat(pair.dst.status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
                pair.relay.cut();
                early.hear(ReturnPathMessage.RecvBitmap.class);
                pair.dst.await(MigrationStatus.POSTCOPY_RECOVER);
            }
            pair.bothPaused();
            pair.recoverAndVerify();
        }
    }

    static List<Arguments> recoveries() {
        StreamMessage resume = new StreamMessage.PostcopyResume();
        return List.of(
                recovery("hangs up", Raw::done, "ended the connection"),
                recovery("falls silent", peer -> {}, "too long in postcopy-recover"),
                recovery("resumes at once", peer -> peer.say(resume), "only 1 of 3 received bitmaps"),
                recovery("asks twice", peer -> peer.say(new StreamMessage.RecvBitmap("churn.ram")), "asked for before"),
                recovery(
                        "asks for no block of ours",
                        peer -> peer.say(new StreamMessage.RecvBitmap("pc.ram")),
                        "'pc.ram'"),
                recovery("sends a page before it resumed", peer -> peer.zeroPage(0, 1), "in postcopy-recover"),
                recovery("begins anew", peer -> peer.say(new StreamMessage.Header()), "(?i)0x51"),
                recovery(
                        "opens the return path",
                        peer -> peer.say(new StreamMessage.OpenReturnPath()),
                        "OpenReturnPath in postcopy-recover"),
                recovery("ends", peer -> peer.bytes(0), "(?i)end"),
                recovery(
                        "sends a package",
                        peer -> peer.say(new PackagedBlob(new byte[0], List.of()).encode()),
                        "(?i)packaged"),
                recovery("discards", peer -> peer.say(discard()), "RamDiscard in postcopy-recover"));
    }

    private static Arguments recovery(String name, Raw.Deed deed, String sentence) {
        return Arguments.of(name, deed, sentence);
    }

    private static StreamMessage discard() {
        return new StreamMessage.RamDiscard("churn.ram", List.of(new StreamMessage.Range(0, Pages.SIZE)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("recoveries")
    void aRecoveryThatGoesWrongLeadsBackToPaused(String name, Raw.Deed deed, String sentence) throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            pair.parameters(StrangerIT::hasty);
            try (Raw peer = knock(pair)) {
                peer.say(new StreamMessage.RecvBitmap("churn.ram")).hear(ReturnPathMessage.RecvBitmap.class);
                deed.with(peer);
                pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
            }
            assertThat(pair.destination.info().errorDesc())
                    .containsPattern(sentence)
                    .doesNotContain("Exception");
            pair.recoverAndVerify();
        }
    }

    /** After a wrong RESUME and pages from nowhere, present pages are as they were: a stranger's page is dropped as a duplicate, and only missing ones it could forge. */
    @Test
    void aPresentPageIsNeverOverwritten() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            Pair.eventually(
                    "the guest has got pages",
                    () -> pair.destination.info().requests().count() > 4);
            pair.relay.cut();
            pair.bothPaused();
            try (Raw peer = knock(pair)) {
                ReturnPathMessage.RecvBitmap received = peer.askBitmaps().hear(ReturnPathMessage.RecvBitmap.class);
                long present = received.bitmap().nextSet(0);
                assertThat(present).isNotNegative();
                peer.hear(ReturnPathMessage.RecvBitmap.class);
                peer.hear(ReturnPathMessage.RecvBitmap.class);
                peer.say(new StreamMessage.PostcopyResume()).hear(ReturnPathMessage.ResumeAck.class);
                peer.zeroPage(0, present);
                Pair.eventually(
                        "it was dropped", () -> pair.destination.info().extra().duplicates() == 1);
            }
            pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
            pair.recoverAndVerify();
        }
    }
}
