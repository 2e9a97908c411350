// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody new connects and says what it is: what becomes of it, wherever the destination stands. */
class CandidatesTest {
    private static final int NEWCOMER = 9;
    private static final MigrationOptions PRECOPY = new MigrationOptions(true, false, false, false, false, 2, 0);
    private static final String UNKNOWN = "it wants to recover a migration that is not known here";

    /** Where a destination stands, what a recovery's first bytes come to there, and what a page's. "" is: kept until its time comes. */
    @SuppressWarnings("ImmutableEnumChecker") // lambdas that hold nothing
    enum Place {
        IDLE(d -> d, UNKNOWN, "it sends pages in none"),
        LISTENING(DestinationTalk::listening, UNKNOWN, "it sends pages in setup"),
        ACTIVE(DestinationTalk::active, "", ""),
        LOADING(d -> d.guestWorks().postcopy(), "", ""),
        POSTCOPY(DestinationTalk::postcopy, "", "preempt"),
        FINISHING(d -> d.postcopy().guestWorks().allPages(1).ends(1), "", "it sends pages in postcopy-active"),
        MENDING(d -> d.postcopy().guestWorks().diskFills().allPages(1), "", "it sends pages in postcopy-paused"),
        DISK_FULL(
                d -> d.postcopy().guestWorks().diskFills().allPages(1).guestFails("still full"),
                "it wants to recover, and the storage here has failed: see to it, then migrate-recover",
                "it sends pages in postcopy-paused"),
        PAUSED(d -> d.postcopy().breaks(1), "recovery", "it sends pages in postcopy-paused"),
        RECOVERING(d -> d.postcopy().breaks(1).recovers(2), "recovery", ""),
        HELD(d -> d.postcopy().breaks(1).recovers(2).operator(new DestinationInput.Pause()), "recovery", ""),
        COMPLETED(d -> d.postcopy().allPages(1).ends(1), "recovery", "it sends pages in completed"),
        FAILED(d -> d.active().breaks(1), UNKNOWN, "it sends pages in failed"),
        FAILED_AND_NAMED(d -> d.active().named().breaks(1), "told that it never ran", "it sends pages in failed");

        private final UnaryOperator<DestinationTalk> way;
        private final String recovery;
        private final String page;

        Place(UnaryOperator<DestinationTalk> way, String recovery, String page) {
            this.way = way;
            this.recovery = recovery;
            this.page = page;
        }

        DestinationTalk reach() {
            DestinationTalk talk =
                    new DestinationTalk(DestinationTalk.POSTCOPY, Parameters.DEFAULT.withPeerMayBe72(this == HELD));
            return way.apply(talk);
        }
    }

    private static String fate(DestinationTalk talk) {
        String dropped = talk.aborted.get(NEWCOMER);
        if (dropped != null) {
            assertThat(talk.session.stats().strays()).as("is counted").isEqualTo(1);
            assertThat(talk.notices).contains("connection from peer 9 dropped: " + dropped);
            return dropped;
        }
        if (talk.closed.contains(NEWCOMER)) {
            return "told that it never ran";
        }
        return talk.session.outbox(NEWCOMER) == null ? "" : "recovery";
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whoWantsToRecover(Place place) {
        try (DestinationTalk talk = place.reach()) {
            MigrationStatus before = talk.status();
            talk.recovers(NEWCOMER);
            assertThat(fate(talk)).isEqualTo(place.recovery);
            if (!place.recovery.equals("recovery")) {
                assertThat(talk.status()).as("nothing has changed").isEqualTo(before);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whoSendsPages(Place place) {
        try (DestinationTalk talk = place.reach()) {
            MigrationStatus before = talk.status();
            byte[] page = DestinationTalk.page(0, 1, true);
            talk.accepts(NEWCOMER).says(NEWCOMER, page);
            boolean preempt = place.page.equals("preempt");
            assertThat(fate(talk)).isEqualTo(preempt ? "" : place.page);
            assertThat(talk.status()).as("nothing has changed").isEqualTo(before);
            if (place == Place.POSTCOPY) {
                assertThat(talk.content(0, 1)).startsWith(2, 0);
                talk.accepts(NEWCOMER + 1).says(NEWCOMER + 1, page);
                assertThat(talk.aborted.get(NEWCOMER + 1))
                        .as("a second preempt channel")
                        .isEqualTo("it sends pages, and no preempt channel is awaited");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whoBeginsAMigration(Place place) {
        try (DestinationTalk talk = place.reach()) {
            MigrationStatus before = talk.status();
            talk.accepts(NEWCOMER).says(NEWCOMER, new StreamMessage.Header());
            assertThat(fate(talk))
                    .isEqualTo(
                            place == Place.LISTENING
                                    ? "recovery"
                                    : "it begins a migration, and the one here is in " + before);
            assertThat(talk.status()).isEqualTo(place == Place.LISTENING ? MigrationStatus.ACTIVE : before);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    void whoIsAMultifdChannelWhereNoneWasAgreed(Place place) {
        ByteBuffer init = ByteBuffer.allocate(MultifdEncoder.INIT_SIZE);
        MultifdEncoder.init(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, 0, 0), init);
        try (DestinationTalk talk = place.reach()) {
            MigrationStatus before = talk.status();
            talk.accepts(NEWCOMER).says(NEWCOMER, init.array());
            assertThat(fate(talk)).isEqualTo("it is a multifd channel, and capability multifd is off");
            assertThat(talk.status()).isEqualTo(before);
        }
    }

    /** One that was stuck on its way belongs to an attempt that its source has given up. */
    @Test
    void anOlderRecoveryDoesNotTakeTheNewOnesPlace() {
        try (DestinationTalk talk = Place.PAUSED.reach()) {
            talk.accepts(2).accepts(3).says(3, new StreamMessage.RecvBitmap("a"));
            talk.says(2, new StreamMessage.RecvBitmap("a"));
            assertThat(talk.aborted.get(2)).isEqualTo("it wants to recover, and is older than the recovery under way");
            assertThat(talk.session.outbox(3)).isNotNull();
        }
    }

    /** Without a main channel the oldest of a crowd goes, else whoever came before main, then whoever has spoken, then the newest. */
    @Test
    void aCrowdIsThinnedFromItsUnlikelyEnd() {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).listening()) {
            for (int i = 100; i < 125; i++) {
                talk.accepts(i);
            }
            assertThat(talk.aborted).containsOnlyKeys(100);
        }
        try (DestinationTalk talk = Place.ACTIVE.reach()) {
            talk.accepts(100).says(100, new byte[] {0});
            for (int i = 101; i < 106; i++) {
                talk.accepts(i);
            }
            assertThat(talk.aborted).as("the one that has spoken").containsOnlyKeys(100);
            talk.accepts(106);
            assertThat(talk.aborted).as("nobody has: the newest").containsOnlyKeys(100, 105);
        }
    }

    @Test
    void whoWaitedForAnEarlierMigrationIsSentAway() {
        try (DestinationTalk talk = Place.FAILED.reach();
                DestinationTalk next = new DestinationTalk(DestinationTalk.POSTCOPY)) {
            talk.accepts(NEWCOMER);
            next.session.succeed(talk.session);
            assertThat(talk.aborted.get(NEWCOMER)).isEqualTo("another migration is awaited now");
        }
    }

    @Test
    void whereNoPostcopyWasAgreedNobodyMaySendPagesBesideMain() {
        byte[] end = new byte[8];
        end[7] = 0x10;
        try (DestinationTalk talk = new DestinationTalk(PRECOPY).listening()) {
            talk.accepts(NEWCOMER).says(NEWCOMER, DestinationTalk.page(0, 1, true));
            assertThat(fate(talk)).isEqualTo("it sends pages, and no preempt channel is awaited");
            talk.accepts(NEWCOMER + 1).says(NEWCOMER + 1, end);
            assertThat(talk.aborted.get(NEWCOMER + 1)).isEqualTo("it carries nothing that belongs here");
            assertThat(talk.session.stats().strays()).isEqualTo(2);
        }
    }

    /** A source that needed no preempt channel says its end on it, perhaps after main's: that is no stranger. */
    @Test
    void aPreemptChannelThatNothingCameOnIsNoStranger() {
        byte[] end = new byte[8];
        end[7] = 0x10;
        try (DestinationTalk talk = Place.COMPLETED.reach()) {
            talk.accepts(NEWCOMER).says(NEWCOMER, end);
            assertThat(talk.aborted.get(NEWCOMER)).isEqualTo("it was not needed");
            assertThat(talk.session.stats().strays()).isZero();
            assertThat(talk.notices).noneMatch(notice -> notice.contains("peer 9"));
        }
    }

    /** Bytes of one that was dropped may still be on their way through the loop. */
    @Test
    void whatADroppedOneStillSaysIsThrownAway() {
        try (DestinationTalk talk = Place.ACTIVE.reach()) {
            talk.accepts(NEWCOMER).says(NEWCOMER, new StreamMessage.Header());
            ByteBuffer late = ByteBuffer.wrap(new byte[100]);
            talk.session.received(NEWCOMER, late, 1);
            assertThat(late.hasRemaining()).isFalse();
            assertThat(talk.session.stats().strays()).as("counted once").isEqualTo(1);
            assertThat(talk.status()).isEqualTo(MigrationStatus.ACTIVE);
        }
    }

    /** Its operator was sooner than this end, which takes the old channel for alive; a 7.2 would not survive to be sent away. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRecoveryThatIsEarlyIsKeptIfItsSourceMightDie(boolean peerMayBe72) {
        Parameters parameters = Parameters.DEFAULT.withPeerMayBe72(peerMayBe72);
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY, parameters)
                .postcopy()
                .recovers(NEWCOMER)) {
            talk.session.tick(Duration.ofHours(1).toNanos());
            assertThat(talk.aborted.containsKey(NEWCOMER)).isEqualTo(!peerMayBe72);
            if (peerMayBe72) {
                talk.breaks(1).says(NEWCOMER, new byte[0]); // what it has said is offered again
                assertThat(fate(talk)).isEqualTo("recovery");
            }
        }
    }

    /** The end of its connection is the end of a QEMU 7.2 whose recovery it may be. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aYankSendsAwayWhoeverWaitsButNotOneWhomItMightKill(boolean peerMayBe72) {
        Parameters parameters = Parameters.DEFAULT.withPeerMayBe72(peerMayBe72);
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY, parameters)
                .postcopy()
                .breaks(1)
                .accepts(NEWCOMER)) {
            assertThat(talk.session.yank(3)).isEqualTo(!peerMayBe72);
            assertThat(talk.aborted.containsKey(NEWCOMER)).isEqualTo(!peerMayBe72);
            assertThat(talk.session.yank(3))
                    .as("nobody is left, or may be sent away")
                    .isFalse();
        }
    }
}
