// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static io.godwit.protocol.SourceDialogue.NONCE;
import static io.godwit.protocol.SourceDialogue.POSTCOPY;
import static io.godwit.protocol.SourceDialogue.PREEMPT;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.protocol.SourceState.Lost;
import io.godwit.protocol.SourceState.Paused;
import io.godwit.protocol.SourceState.PostcopyActive;
import io.godwit.protocol.SourceState.Recover;
import io.godwit.protocol.SourceState.RecoverSetup;
import io.godwit.protocol.SourceState.Uncertain;
import io.godwit.wire.ReturnPathMessage;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A recovery at the source: how it goes well, and every way in which it goes wrong, over and over. */
class SourceHandshakeTest {
    /** A source whose channel is gone, as that origin says. */
    private static SourceDialogue lost(Lost origin, MigrationOptions options) {
        SourceDialogue source = new SourceDialogue(options).active();
        switch (origin) {
            case POSTCOPY -> source.switched().proven();
            case POSTCOPY_UNPROVEN -> source.switched();
            case PRECOPY_UNPROVEN -> {
                if (options.preempt()) {
                    source.then(new SourceInput.Connected(Channel.PREEMPT));
                }
                source.awaitingShut();
            }
        }
        source.broken();
        source.said();
        return source;
    }

    private static SourceState afterLoss(Lost origin) {
        return origin == Lost.POSTCOPY ? new Paused() : new Uncertain(origin, false);
    }

    private static String statusAfterLoss(Lost origin) {
        return "=" + afterLoss(origin).status();
    }

    private static void recovers(SourceDialogue source) {
        source.then(new SourceInput.Resume()).expect("=postcopy-recover-setup", "connect");
        source.connected().expect("=postcopy-recover", "ask-bitmaps", "ping");
        source.bitmap(1).expect().bitmap(0);
        if (source.machine.options().preempt()) {
            source.expect("connect-preempt").then(new SourceInput.Connected(Channel.PREEMPT));
        }
        source.expect("send-resume");
        source.received(new ReturnPathMessage.ResumeAck(1)).expect("=postcopy-active");
        source.in(new PostcopyActive(true, false));
    }

    @ParameterizedTest
    @EnumSource(Lost.class)
    void aRecoveryAsksForTheBitmapsResumesAndIsAcknowledged(Lost origin) {
        recovers(lost(origin, POSTCOPY));
        recovers(lost(origin, PREEMPT));
    }

    /** A QEMU whose main channel broke takes one that comes then for a recovery's main channel, and may end over it. */
    @Test
    void thePreemptChannelIsAskedForOnlyOnceAllBitmapsAreHere() {
        SourceDialogue source =
                lost(Lost.POSTCOPY, PREEMPT).then(new SourceInput.Resume()).connected();
        source.expect("=postcopy-recover-setup", "connect", "=postcopy-recover", "ask-bitmaps", "ping");

        source.bitmap(0).expect().bitmap(1).expect("connect-preempt");
        source.in(new Recover(Lost.POSTCOPY, new BitSet(), false));
        source.then(new SourceInput.Connected(Channel.PREEMPT)).expect("send-resume");
        source.in(new Recover(Lost.POSTCOPY, new BitSet(), true));
    }

    @Test
    void anAttemptThatEndsBeforeTheBitmapsNeverAskedForAPreemptChannel() {
        SourceDialogue source =
                lost(Lost.POSTCOPY, PREEMPT).then(new SourceInput.Resume()).connected();
        source.said();

        source.bitmap(0).broken().expect("drop", "=postcopy-paused");
        recovers(source);
    }

    @Test
    void withoutPingsNoneIsSaidBehindTheRequests() {
        SourceDialogue source = lost(Lost.POSTCOPY, POSTCOPY);
        source.machine.parameters(new Parameters(0, 0, 300, 0, 10_000, 7_000, 0));

        source.then(new SourceInput.Resume()).connected();

        source.expect("=postcopy-recover-setup", "connect", "=postcopy-recover", "ask-bitmaps");
    }

    /** How far a handshake has come. */
    enum Progress {
        CONNECTING,
        ASKED,
        ONE_BITMAP,
        RESUMED
    }

    private static SourceDialogue begun(Lost origin, Progress progress) {
        return advance(lost(origin, POSTCOPY), progress);
    }

    private static SourceDialogue advance(SourceDialogue source, Progress progress) {
        source.then(new SourceInput.Resume());
        if (progress.compareTo(Progress.ASKED) >= 0) {
            source.connected();
        }
        if (progress.compareTo(Progress.ONE_BITMAP) >= 0) {
            source.bitmap(0);
        }
        if (progress.compareTo(Progress.RESUMED) >= 0) {
            source.bitmap(1);
        }
        source.said();
        return source;
    }

    private static List<SourceInput> failures(Progress progress) {
        List<SourceInput> failures = new ArrayList<>(List.of(
                new SourceInput.Pause(),
                new SourceInput.Broken(Channel.MAIN, "refused"),
                new SourceInput.Broken(Channel.PREEMPT, "reset"),
                new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_OK)),
                new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_FAILED)),
                new SourceInput.Received(new ReturnPathMessage.Shut(Wire.neverRan(NONCE + 1))),
                new SourceInput.Received(new ReturnPathMessage.ReqPages(0, 4096)),
                new SourceInput.Received(new ReturnPathMessage.ReqPagesId("a", 0, 4096)),
                new SourceInput.Received(new ReturnPathMessage.ResumeAck(0)),
                new SourceInput.Received(new ReturnPathMessage.ResumeAck(2))));
        if (progress != Progress.RESUMED) {
            failures.add(new SourceInput.Received(new ReturnPathMessage.ResumeAck(1)));
        }
        if (progress != Progress.ASKED) {
            failures.add(new SourceInput.Received(new ReturnPathMessage.RecvBitmap(0, new PageBitmap(1))));
        }
        return failures;
    }

    static Stream<Arguments> everyPlace() {
        return Stream.of(Lost.values())
                .flatMap(origin -> Stream.of(Progress.values()).map(progress -> Arguments.of(origin, progress)));
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void everyFailureDropsTheChannelsAndFallsBackAndTheNextRecoveryMayBeTried(Lost origin, Progress progress) {
        SourceDialogue source = lost(origin, POSTCOPY);
        for (SourceInput failure : failures(progress)) {
            advance(source, progress).then(failure);

            assertThat(source.said())
                    .as("%s in %s", failure, progress)
                    .containsExactly("drop", statusAfterLoss(origin));
            source.in(afterLoss(origin));
            assertThat(source.machine.error()).as("%s in %s", failure, progress).isNotNull();
            assertThat(source.machine.holdsGuestData()).isTrue();
            assertThat(source.machine.nextTick()).as("nothing is waited for").isEqualTo(Long.MAX_VALUE);
        }
        recovers(source);
        assertThat(source.machine.error()).isNull();
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void aHandshakeOnWhichNothingMovesEndsByItself(Lost origin, Progress progress) {
        SourceDialogue source = begun(origin, progress);

        assertThat(source.machine.nextTick()).isEqualTo(source.now() + 10_000 * SourceDialogue.MILLIS);
        source.tickAfter(9_999).expect();
        source.tickAfter(1).expect("drop", statusAfterLoss(origin)).in(afterLoss(origin));
    }

    @ParameterizedTest
    @MethodSource("everyPlace")
    void itsDeadlineCountsFromTheLastByteThatCame(Lost origin, Progress progress) {
        SourceDialogue source = begun(origin, progress);
        for (int i = 0; i < 10; i++) {
            source.after(9_000).machine.progressed(source.now());
            source.then(new SourceInput.Tick()).expect();
        }

        source.tickAfter(10_000).expect("drop", statusAfterLoss(origin));
    }

    @Test
    void whatTheKernelTakesIsNoProgressOnceSomethingIsAskedFor() {
        SourceDialogue source = begun(Lost.POSTCOPY, Progress.ASKED);
        for (int i = 0; i < 9; i++) {
            source.after(1_000).machine.moved(source.now());
        }

        source.tickAfter(1_000).expect("drop", "=postcopy-paused");
    }

    @Test
    void aShorterTimeoutCountsForTheHandshakeThatHangs() {
        SourceDialogue source = begun(Lost.POSTCOPY, Progress.RESUMED).after(2_000);

        source.machine.parameters(new Parameters(0, 0, 300, 0, 500, 7_000, 1_000));

        source.then(new SourceInput.Tick()).expect("drop", "=postcopy-paused");
    }

    @Test
    void withoutATimeoutTheOperatorsWordEndsIt() {
        SourceDialogue source = begun(Lost.POSTCOPY, Progress.ASKED);
        source.machine.parameters(new Parameters(0, 0, 300, 0, 0, 0, 1_000));

        assertThat(source.machine.nextTick()).isEqualTo(Long.MAX_VALUE);
        source.tickAfter(86_400_000).expect();
        source.then(new SourceInput.Pause()).expect("drop", "=postcopy-paused");
    }

    @Test
    void aBitmapThatComesTwiceIsNoAnswerToAnything() {
        SourceDialogue source = begun(Lost.POSTCOPY, Progress.ONE_BITMAP);

        source.bitmap(0).expect("drop", "=postcopy-paused").in(new Paused());
        assertThat(source.machine.error()).contains("block 0 twice");
    }

    @ParameterizedTest
    @EnumSource(names = {"ASKED", "ONE_BITMAP", "RESUMED"})
    void aDestinationThatNeverHadTheGuestIsBelievedAboutThisMigrationOnly(Progress progress) {
        SourceInput neverRan = new SourceInput.Received(new ReturnPathMessage.Shut(Wire.neverRan(NONCE)));
        for (Lost origin : List.of(Lost.POSTCOPY_UNPROVEN, Lost.PRECOPY_UNPROVEN)) {
            SourceDialogue source = begun(origin, progress).then(neverRan);
            source.expect("drop", "=uncertain").in(new Uncertain(origin, true));
            assertThat(source.machine.refuse(new SourceInput.ResolveHere())).isNull();
            recovers(source);
        }

        SourceDialogue proven = begun(Lost.POSTCOPY, progress).then(neverRan);
        proven.expect("drop", "=postcopy-paused").in(new Paused());
        assertThat(proven.machine.error()).contains("wrong address");
    }

    @Test
    void whatComesLateFromADroppedChannelIsIgnored() {
        SourceDialogue source = begun(Lost.POSTCOPY, Progress.RESUMED).then(new SourceInput.Pause());
        source.said();

        source.received(new ReturnPathMessage.ResumeAck(1))
                .bitmap(0)
                .pong()
                .received(new ReturnPathMessage.Shut(Wire.SHUT_OK))
                .received(new ReturnPathMessage.ReqPages(0, 4096))
                .broken()
                .written(SourceInput.Mark.PING)
                .tickAfter(100_000)
                .expect()
                .in(new Paused());
    }

    @Test
    void thePreemptChannelOfAnEarlierAttemptDoesNotCountForTheNext() {
        SourceDialogue source = lost(Lost.POSTCOPY, PREEMPT)
                .then(new SourceInput.Resume())
                .connected()
                .bitmap(0)
                .bitmap(1)
                .then(new SourceInput.Connected(Channel.PREEMPT))
                .broken()
                .then(new SourceInput.Resume())
                .in(new RecoverSetup(Lost.POSTCOPY))
                .connected();
        source.said();

        source.bitmap(0).bitmap(1).expect("connect-preempt").in(new Recover(Lost.POSTCOPY, new BitSet(), false));
    }

    @Test
    void pingsGoOnAfterARecovery() {
        SourceDialogue source = lost(Lost.POSTCOPY, POSTCOPY);
        recovers(source);

        source.then(new SourceInput.Tick()).expect("ping").written(SourceInput.Mark.PING);
        source.tickAfter(7_000).expect("drop", "=postcopy-paused");
    }
}
