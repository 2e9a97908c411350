// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static io.godwit.protocol.DestinationDialogue.ACKING;
import static io.godwit.protocol.DestinationDialogue.NONCE;
import static io.godwit.protocol.DestinationDialogue.POSTCOPY;
import static io.godwit.protocol.DestinationDialogue.PRECOPY;
import static io.godwit.protocol.MigrationStatus.COMPLETED;
import static io.godwit.protocol.MigrationStatus.FAILED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_ACTIVE;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_PAUSED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_RECOVER;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.wire.StreamMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whole migrations and recoveries as the destination's machine sees them. Every cell: {@link DestinationTableTest}. */
class DestinationMachineTest {
    private static DestinationDialogue quiet(DestinationDialogue dialogue) {
        dialogue.said();
        return dialogue;
    }

    private static void recovers(DestinationDialogue destination) {
        destination.sourceReturns().expect("=postcopy-recover");
        destination
                .asked(1)
                .expect("bitmap-1")
                .asked(0)
                .expect("bitmap-0")
                .ping()
                .expect("pong");
        destination
                .resume()
                .expect("resume-ack-1", "=postcopy-active", "reissue")
                .in(POSTCOPY_ACTIVE);
        assertThat(destination.machine.requests()).isTrue();
    }

    @Test
    void aPrecopyStartsTheGuestOnceEverythingIsHere() {
        DestinationDialogue destination = new DestinationDialogue(PRECOPY);

        destination.listening().expect("=setup");
        destination.then(new DestinationInput.MainOpened()).expect("reset-memory", "=active");
        destination.received(DestinationDialogue.memory()).expect();
        assertThat(destination.machine.pages()).isEqualTo(PageRule.STORE);
        assertThat(destination.machine.ran()).isFalse();
        destination
                .ended(0)
                .expect("load", "start-guest", "shut-0", "close", "=completed")
                .in(COMPLETED);
        assertThat(destination.machine.ran()).isTrue();
        assertThat(destination.machine.pages()).isEqualTo(PageRule.NONE);
    }

    @Test
    void aPostcopyStartsTheGuestOnceItsStateIsHereAndEndsWithItsLastPage() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY).active());
        assertThat(destination.machine.holdsGuestData()).isFalse();

        destination.packaged().expect("load", "begin-postcopy", "=postcopy-active", "pong-3", "start-guest");
        assertThat(destination.machine.holdsGuestData()).isTrue();
        assertThat(destination.machine.pages()).isEqualTo(PageRule.PLACE);
        destination.ended(2).expect().in(POSTCOPY_ACTIVE);
        assertThat(destination.machine.requests())
                .as("nobody reads requests any more")
                .isFalse();
        destination.then(new DestinationInput.NothingMissing()).expect("finish", "shut-0", "close", "=completed");
        assertThat(destination.machine.holdsGuestData()).isFalse();
    }

    @Test
    void aGuestThatRefusesItsStateHasNeverRunAndTheSourceIsTold() {
        DestinationDialogue precopy =
                quiet(new DestinationDialogue(POSTCOPY).active().guestRefuses());
        precopy.ended(0)
                .expect("load", "shut-1", "close", "reset-memory", "=failed")
                .in(FAILED);
        assertThat(precopy.machine.error()).contains("no such device");
        assertThat(precopy.machine.ran()).isFalse();

        DestinationDialogue postcopy =
                quiet(new DestinationDialogue(POSTCOPY).active().guestRefuses());
        postcopy.packaged()
                .expect("load", "shut-1", "close", "reset-memory", "=failed")
                .in(FAILED);
        assertThat(postcopy.machine.ran()).isFalse();
        assertThat(postcopy.machine.neverRan()).isEqualTo(Wire.neverRan(NONCE));
    }

    @Test
    void anEndWithoutAllPagesIsAFailure() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY).active());

        destination.ended(1).expect("shut-1", "close", "reset-memory", "=failed");
        assertThat(destination.machine.error()).contains("1 pages never came");
    }

    @Test
    void switchoverAckIsSaidOnce() {
        DestinationDialogue destination = quiet(new DestinationDialogue(ACKING).opened());

        destination.received(new StreamMessage.OpenReturnPath()).expect("switchover-ack");
        destination.received(new StreamMessage.OpenReturnPath()).expect();
    }

    @Test
    void aCapabilityThatIsOffHereIsNamed() {
        DestinationDialogue destination = new DestinationDialogue(PRECOPY).opened();

        destination.received(DestinationDialogue.advise()).in(FAILED);

        assertThat(destination.machine.error()).contains("postcopy-ram").contains("off here");
    }

    @Test
    void everyFailureOfARecoveryLeadsBackToPausedAndTheNextOneMayBeTried() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY).paused());
        List<DestinationInput> failures = List.of(
                new DestinationInput.Pause(),
                new DestinationInput.Broken(Channel.MAIN, "reset"),
                new DestinationInput.Broken(Channel.PREEMPT, "reset"),
                new DestinationInput.Packaged(List.of()),
                new DestinationInput.Ended(0),
                new DestinationInput.Ended(5),
                new DestinationInput.Received(new StreamMessage.Header()),
                new DestinationInput.Received(new StreamMessage.SectionPart(2)),
                new DestinationInput.Received(new StreamMessage.Ping(Wire.keepAlive(NONCE + 1))));
        for (DestinationInput failure : failures) {
            for (int asked = 0; asked <= 2; asked++) {
                destination.sourceReturns();
                for (int block = 0; block < asked; block++) {
                    destination.asked(block);
                }
                quiet(destination).then(failure);
                List<String> said = destination.said();
                assertThat(said).as("%s", failure).endsWith("drop", "=postcopy-paused");
                assertThat(destination.machine.error()).isNotBlank();
                assertThat(destination.machine.nextTick(-1)).isEqualTo(Long.MAX_VALUE);
                assertThat(destination.machine.holdsGuestData()).isTrue();
            }
        }
        recovers(destination);
    }

    @Test
    void resumeBeforeEveryBitmapWasAskedForAndABitmapAskedForTwiceAreRefused() {
        DestinationDialogue destination = new DestinationDialogue(POSTCOPY)
                .paused()
                .sourceReturns()
                .asked(0)
                .resume();
        destination.in(POSTCOPY_PAUSED);
        assertThat(destination.machine.error()).contains("1 of 2");

        destination.sourceReturns().asked(0).asked(0).in(POSTCOPY_PAUSED);
        assertThat(destination.machine.error()).contains("asked for before");
        recovers(quiet(destination));
    }

    @Test
    void aHandshakeOnWhichNothingMovesEndsByItself() {
        DestinationDialogue destination =
                quiet(new DestinationDialogue(POSTCOPY).paused().after(50).sourceReturns());
        assertThat(destination.machine.nextTick(-1)).isEqualTo(10_050 * DestinationDialogue.MILLIS);

        destination.after(9_000).machine.progressed(destination.now());
        destination.tickAfter(9_999).expect().tickAfter(1).expect("drop", "=postcopy-paused");
    }

    @Test
    void aNewerConnectionSupersedesAnUnfinishedHandshakeAndAsksForEverythingAnew() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY)
                .paused()
                .sourceReturns()
                .asked(0)
                .asked(1));

        destination.after(9_999).sourceReturns().expect("drop", "notice").in(POSTCOPY_RECOVER);
        destination.tickAfter(9_999).expect();
        destination.asked(0).asked(1).expect("bitmap-0", "bitmap-1").resume().in(POSTCOPY_ACTIVE);
    }

    @Test
    void aSourceThatMissedTheEndIsToldSoAsOftenAsItComes() {
        DestinationDialogue destination =
                quiet(new DestinationDialogue(POSTCOPY).postcopy().ended(0));
        for (int i = 0; i < 3; i++) {
            destination.sourceReturns().expect("notice").in(COMPLETED);
            assertThat(destination.machine.pages()).isEqualTo(PageRule.DROP);
            destination
                    .asked(0)
                    .asked(1)
                    .expect("bitmap-0", "bitmap-1")
                    .resume()
                    .expect("resume-ack-1");
            if (i == 0) {
                destination.broken().expect("drop");
            } else if (i == 1) {
                destination.tickAfter(10_000).expect("drop");
            } else {
                destination.ended(0).expect("shut-0", "close");
            }
            assertThat(destination.machine.pages()).isEqualTo(PageRule.NONE);
            assertThat(destination.machine.nextTick(-1)).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void anotherMigrationsSourceIsSentAway() {
        StreamMessage other = new StreamMessage.Ping(Wire.keepAlive(NONCE + 1));
        DestinationDialogue paused =
                quiet(new DestinationDialogue(POSTCOPY).paused().sourceReturns());
        paused.received(other).expect("notice", "drop", "=postcopy-paused");
        recovers(paused);

        DestinationDialogue completed =
                quiet(new DestinationDialogue(POSTCOPY).postcopy().ended(0).sourceReturns());
        completed.received(other).expect("notice", "drop").in(COMPLETED);
    }

    @Test
    void silenceIsJudgedWhereTheSourcePingsOrOwesAPage() {
        DestinationDialogue pinged = quiet(new DestinationDialogue(POSTCOPY).postcopy());
        pinged.tickAfter(6_999).expect().tickAfter(1).expect("drop", "=postcopy-paused");
        assertThat(pinged.machine.error()).contains("sent nothing");

        DestinationDialogue owed =
                quiet(new DestinationDialogue(POSTCOPY).postcopy()).after(1);
        long since = owed.now();
        owed.after(6_999).machine.progressed(owed.now());
        owed.then(new DestinationInput.Tick(since)).expect();
        assertThat(owed.machine.nextTick(since)).isEqualTo(since + 7_000 * DestinationDialogue.MILLIS);
        owed.after(1).machine.progressed(owed.now());
        owed.then(new DestinationInput.Tick(since)).expect("drop", "=postcopy-paused");
        assertThat(owed.machine.error()).contains("every page request");

        DestinationDialogue unnamed = quiet(new DestinationDialogue(POSTCOPY)
                .opened()
                .received(
                        new StreamMessage.OpenReturnPath(), DestinationDialogue.advise(), DestinationDialogue.memory())
                .packaged());
        unnamed.tickAfter(1_000_000).expect().in(POSTCOPY_ACTIVE);
        assertThat(unnamed.machine.nextTick(-1)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aStrangerWithAHeaderDoesNotKeepTheListenerForEver() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY).opened());

        destination.tickAfter(9_999).expect().tickAfter(1).expect("drop", "reset-memory", "=failed");
    }

    @Test
    void theRestOfThePreemptChannelIsWaitedForAsLongAsItMoves() {
        DestinationDialogue destination =
                quiet(new DestinationDialogue(POSTCOPY).postcopy().ended(3));
        destination.after(6_000).machine.progressed(destination.now());

        destination.tickAfter(6_999).expect().tickAfter(1).expect("drop", "=postcopy-paused");
    }

    @Test
    void whatComesLateFromADroppedChannelIsIgnored() {
        DestinationDialogue destination = quiet(new DestinationDialogue(POSTCOPY).paused());

        destination.ping().asked(0).resume().packaged().ended(0).ended(3);
        destination
                .then(new DestinationInput.NothingMissing())
                .broken()
                .tickAfter(100_000)
                .expect();
        recovers(destination);

        DestinationDialogue completed =
                quiet(new DestinationDialogue(POSTCOPY).postcopy().ended(0));
        completed
                .ping()
                .asked(0)
                .resume()
                .packaged()
                .ended(0)
                .ended(3)
                .broken()
                .tickAfter(100_000)
                .expect();
        assertThat(completed.machine.pages()).isEqualTo(PageRule.NONE);
    }

    @Test
    void itIsRememberedWhichMigrationNeverCame() {
        DestinationDialogue failed = new DestinationDialogue(POSTCOPY).active().broken();
        assertThat(failed.machine.neverRan()).isEqualTo(Wire.neverRan(NONCE));

        DestinationDialogue next = new DestinationDialogue(POSTCOPY);
        assertThat(next.machine.neverRan()).isEqualTo(-1);
        next.machine.succeed(failed.machine);
        assertThat(next.machine.neverRan()).isEqualTo(Wire.neverRan(NONCE));

        next.opened().broken().in(FAILED);
        assertThat(next.machine.neverRan()).as("a stranger came").isEqualTo(Wire.neverRan(NONCE));

        DestinationDialogue third = new DestinationDialogue(POSTCOPY);
        third.machine.succeed(next.machine);
        third.postcopy();
        assertThat(third.machine.neverRan()).as("it has a guest now").isEqualTo(-1);
    }

    /** A QEMU that misses the last word of a postcopy takes it for failed, and runs the guest; a Godwit never does, and says who it is. */
    @Test
    void onlyASourceThatSaysWhoItIsIsKnownNeverToRunTheGuestAgain() {
        DestinationDialogue ofQemu = new DestinationDialogue(DestinationDialogue.POSTCOPY)
                .opened()
                .received(
                        new StreamMessage.OpenReturnPath(), DestinationDialogue.advise(), DestinationDialogue.memory())
                .packaged();
        assertThat(ofQemu.machine.confirmed()).as("it can only wait").isTrue();
        assertThat(ofQemu.ended(0).machine.confirmed()).isFalse();

        DestinationDialogue ofGodwit = new DestinationDialogue(DestinationDialogue.POSTCOPY).postcopy();
        assertThat(ofGodwit.ended(0).machine.confirmed()).isTrue();
    }

    /** What a process that was killed left behind: it lacks pages and asks nobody, or lacks none and has only to make sure of them. */
    @Test
    void anInterruptedMigrationWaitsForItsSourceOrForTheGuestsOwnEnd() {
        DestinationDialogue lacking = new DestinationDialogue(
                DestinationMachine.interrupted(POSTCOPY, DestinationDialogue.PARAMETERS, 2, false), 0);
        assertThat(lacking.machine.holdsGuestData()).isTrue();
        lacking.then(new DestinationInput.AwaitRecovery(3)).expect().in(POSTCOPY_PAUSED);
        recovers(lacking);

        DestinationDialogue whole = new DestinationDialogue(
                DestinationMachine.interrupted(POSTCOPY, DestinationDialogue.PARAMETERS, 2, true), 0);
        assertThat(whole.machine.recoverable()).isTrue();
        whole.then(new DestinationInput.AwaitRecovery(0))
                .expect("finish", "=completed")
                .in(COMPLETED);
    }

    @Test
    void aMultifdFlushMayStandOnlyWhereSuchChannelsWereAgreedAndTheBlocksAreKnown() {
        MigrationOptions multifd = PRECOPY.withMultifd(MultifdParameters.DEFAULT);
        new DestinationDialogue(multifd)
                .opened()
                .received(DestinationDialogue.memory(), new StreamMessage.MultifdFlush())
                .in(MigrationStatus.ACTIVE);

        for (DestinationDialogue wrong : List.of(
                new DestinationDialogue(multifd).opened(),
                new DestinationDialogue(PRECOPY).opened().received(DestinationDialogue.memory()))) {
            wrong.received(new StreamMessage.MultifdFlush()).in(FAILED);
            assertThat(wrong.machine.error()).contains("MultifdFlush");
        }
    }

    /** Past precopy nothing comes on the multifd channels: that one of them ends says nothing. */
    @Test
    void aMultifdChannelThatBreaksFailsAPrecopyAndNothingElse() {
        DestinationInput broken = new DestinationInput.Broken(Channel.MULTIFD, "channel 1: reset");
        MigrationOptions multifd = POSTCOPY.withMultifd(MultifdParameters.DEFAULT);

        quiet(new DestinationDialogue(multifd).active())
                .then(broken)
                .expect("shut-1", "close", "reset-memory", "=failed");

        for (DestinationDialogue past : List.of(
                new DestinationDialogue(multifd).postcopy(),
                new DestinationDialogue(multifd).paused(),
                new DestinationDialogue(multifd).paused().sourceReturns(),
                new DestinationDialogue(multifd).postcopy().ended(0))) {
            MigrationStatus before = past.machine.status();
            quiet(past).then(broken).expect().in(before);
        }
    }
}
