// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static io.godwit.protocol.SourceDialogue.ACKED;
import static io.godwit.protocol.SourceDialogue.HOLDING;
import static io.godwit.protocol.SourceDialogue.ONE_WAY;
import static io.godwit.protocol.SourceDialogue.POSTCOPY;
import static io.godwit.protocol.SourceDialogue.PRECOPY;
import static io.godwit.protocol.SourceDialogue.PREEMPT;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.SourceState.Active;
import io.godwit.protocol.SourceState.Completed;
import io.godwit.protocol.SourceState.Lost;
import io.godwit.protocol.SourceState.PostcopyActive;
import io.godwit.protocol.SourceState.Uncertain;
import io.godwit.wire.ReturnPathMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole migrations as the source's machine sees them. Recoveries: {@link SourceHandshakeTest}; every cell: {@link SourceTableTest}. */
class SourceMachineTest {
    private static final ReturnPathMessage SHUT_OK = new ReturnPathMessage.Shut(Wire.SHUT_OK);

    @Test
    void aPrecopyEndsWithTheDestinationsWord() {
        SourceDialogue source = new SourceDialogue(PRECOPY);

        source.then(new SourceInput.Migrate()).expect("=setup", "connect");
        source.connected().expect("opening", "begin-precopy", "=active");
        source.then(new SourceInput.Tick()).expect("ping").pong().expect();
        source.estimate(1 << 30).expect().estimate(200_000).expect("stop-guest");
        source.then(new SourceInput.GuestStopped()).expect("=device", "freeze");
        source.then(new SourceInput.NothingLeft()).expect("precopy-end");
        assertThat(source.machine.committed()).isFalse();
        source.written(SourceInput.Mark.COMMIT).expect();
        assertThat(source.machine.committed()).isTrue();
        source.written(SourceInput.Mark.END).expect();
        source.received(SHUT_OK).expect("close", "forget", "=completed");
        source.in(new Completed(true));
    }

    @Test
    void aPostcopyIsSwitchedByTheOperatorAndEndsWithTheDestinationsWord() {
        SourceDialogue source = new SourceDialogue(POSTCOPY).active();
        source.said();

        source.then(new SourceInput.StartPostcopy()).expect();
        assertThat(source.machine.switchWanted()).isTrue();
        source.estimate(1 << 30).expect("stop-guest");
        source.then(new SourceInput.GuestStopped()).expect("=device", "freeze", "switch");
        source.written(SourceInput.Mark.COMMIT).expect("=postcopy-active").in(new PostcopyActive(false, false));
        source.proven().expect().in(new PostcopyActive(true, false));
        source.received(new ReturnPathMessage.ReqPagesId("a", 0, 4096)).expect();
        source.then(new SourceInput.NothingLeft()).expect("postcopy-end");
        source.then(new SourceInput.Broken(Channel.PREEMPT, "closed")).expect();
        source.written(SourceInput.Mark.END).received(SHUT_OK).expect("close", "forget", "=completed");
    }

    @Test
    void theSwitchWaitsForThePreemptChannelAndForAnAnswer() {
        SourceDialogue source = new SourceDialogue(PREEMPT)
                .then(new SourceInput.Migrate())
                .connected()
                .then(new SourceInput.StartPostcopy());
        source.expect("=setup", "connect", "opening", "connect-preempt", "begin-precopy", "=active");

        source.estimate(0).expect();
        source.received(new ReturnPathMessage.Pong(Wire.PING_OPENED))
                .estimate(0)
                .expect();
        source.pong().estimate(0).expect();
        assertThat(source.machine.switchWanted()).isFalse();
        source.then(new SourceInput.Connected(Channel.PREEMPT));
        assertThat(source.machine.switchWanted()).isTrue();
        source.estimate(0).expect("stop-guest");
    }

    @Test
    void withoutPingsAnyAnswerWillDo() {
        SourceDialogue source = new SourceDialogue(PRECOPY);
        source.machine.parameters(new Parameters(0, 0, 300, 0, 10_000, 7_000, 0));
        source.then(new SourceInput.Migrate()).connected();
        source.said();

        source.estimate(0).expect();
        source.received(new ReturnPathMessage.Pong(Wire.PING_OPENED))
                .estimate(0)
                .expect("stop-guest");
    }

    @Test
    void switchoverAckIsWaitedForInPrecopyButNotByTheOperatorsSwitch() {
        SourceDialogue source = new SourceDialogue(ACKED).active();
        source.said();
        source.estimate(0).expect();
        SourceDialogue postcopy = new SourceDialogue(source.machine.copy(), source.now());

        source.received(new ReturnPathMessage.SwitchoverAck()).estimate(0).expect("stop-guest");
        postcopy.then(new SourceInput.StartPostcopy()).estimate(0).expect("stop-guest");
    }

    @Test
    void theDowntimeLimitDecidesWhetherTheRestIsSmall() {
        SourceDialogue source = new SourceDialogue(PRECOPY).active();
        source.said();

        source.estimate(300_001).expect();
        source.estimate(300_000).expect("stop-guest");
    }

    @Test
    void whereItIsHeldTheOperatorContinues() {
        SourceDialogue source = new SourceDialogue(HOLDING).active().estimate(0);
        source.said();

        source.then(new SourceInput.GuestStopped()).expect("=pre-switchover");
        source.then(new SourceInput.StartPostcopy());
        source.then(new SourceInput.Continue()).expect("=device", "freeze", "switch");
    }

    @Test
    void withoutAReturnPathTheLastByteIsTheEndAndNobodyHasConfirmedIt() {
        SourceDialogue source =
                new SourceDialogue(ONE_WAY).then(new SourceInput.Migrate()).connected();
        source.tickAfter(1_000);
        source.expect("=setup", "connect", "opening", "begin-precopy", "=active");

        source.awaitingShut().expect("stop-guest", "=device", "freeze", "precopy-end");
        source.written(SourceInput.Mark.END).expect("close", "forget", "=completed");
        source.in(new Completed(false));
        source.then(new SourceInput.ResolveHere()).expect("forget", "=failed", "resume-guest");
    }

    @Test
    void aConnectThatHangsAndASwitchoverThatHangsEndByTheLivenessTimeout() {
        SourceDialogue source = new SourceDialogue(POSTCOPY).then(new SourceInput.Migrate());
        source.said();
        source.tickAfter(6_999).expect().tickAfter(1).expect("drop", "forget", "=failed");

        SourceDialogue flushing =
                new SourceDialogue(POSTCOPY).active().estimate(0).then(new SourceInput.GuestStopped());
        flushing.said();
        flushing.then(new SourceInput.NothingLeft()).expect("precopy-end");
        flushing.after(6_000).machine.moved(flushing.now());
        flushing.tickAfter(6_999).expect().tickAfter(1).expect("drop", "forget", "=failed", "resume-guest");
    }

    @Test
    void theFinalWordIsNotWaitedForForEverAndItsLackLeavesTheSourceUncertain() {
        SourceDialogue source = new SourceDialogue(PRECOPY).active().awaitingShut();
        source.said();
        source.tickAfter(6_000).written(SourceInput.Mark.END).tickAfter(6_999).expect();

        source.tickAfter(1).expect("drop", "=uncertain").in(new Uncertain(Lost.PRECOPY_UNPROVEN, false));

        SourceDialogue postcopy =
                new SourceDialogue(POSTCOPY).active().switched().proven().then(new SourceInput.NothingLeft());
        postcopy.said();
        postcopy.tickAfter(7_000).expect("drop", "=postcopy-paused");
    }

    @Test
    void aSilentPathBreaksWhereverPingsGo() {
        SourceDialogue source = new SourceDialogue(POSTCOPY).active();
        source.said();
        source.then(new SourceInput.Tick()).expect("ping").written(SourceInput.Mark.PING);
        source.tickAfter(6_999).expect().tickAfter(1).expect("drop", "forget", "=failed");

        SourceDialogue stopped =
                new SourceDialogue(HOLDING).active().estimate(0).then(new SourceInput.GuestStopped());
        stopped.said();
        stopped.then(new SourceInput.Tick()).expect("ping").written(SourceInput.Mark.PING);
        stopped.tickAfter(7_000).expect("drop", "forget", "=failed", "resume-guest");

        SourceDialogue postcopy = new SourceDialogue(POSTCOPY).active().switched();
        postcopy.said();
        postcopy.then(new SourceInput.Tick()).expect("ping").written(SourceInput.Mark.PING);
        postcopy.after(6_000).received(new ReturnPathMessage.ReqPagesId("a", 0, 4096));
        postcopy.tickAfter(6_999).expect().tickAfter(1).expect("drop", "=uncertain");
    }

    @Test
    void aSecondMigrationKnowsNothingOfTheFirst() {
        SourceDialogue source = new SourceDialogue(ACKED)
                .active()
                .received(new ReturnPathMessage.SwitchoverAck())
                .then(new SourceInput.StartPostcopy())
                .broken();
        assertThat(source.machine.error()).contains("main channel: reset");
        source.said();

        source.then(new SourceInput.Migrate()).connected();
        assertThat(source.machine.error()).isNull();
        source.expect("=setup", "connect", "opening", "begin-precopy", "=active");
        source.estimate(0).expect().pong().estimate(0).expect().in(new Active());
    }

    /** What a process that was killed left behind: where nothing is known to be unsent, the operator may say that all has come. */
    @ParameterizedTest
    @EnumSource(SourceState.Lost.class)
    void anInterruptedMigrationIsRecoveredOrResolvedAndNeverGoesOnByItself(SourceState.Lost origin) {
        SourceDialogue source =
                new SourceDialogue(SourceMachine.interrupted(POSTCOPY, SourceDialogue.PARAMETERS, origin), 0);
        boolean known = origin == SourceState.Lost.POSTCOPY;
        source.in(known ? new SourceState.Paused() : new SourceState.Uncertain(origin, false));
        assertThat(source.machine.holdsGuestData()).isTrue();
        assertThat(source.machine.committed()).isTrue();
        assertThat(source.machine.refuse(new SourceInput.Migrate())).contains("resume=true");
        assertThat(source.machine.refuse(new SourceInput.ResolveWhole(0))).isNull();
        assertThat(source.machine.refuse(new SourceInput.ResolveWhole(1)) == null)
                .as("a precopy sends all before it ends")
                .isEqualTo(origin == SourceState.Lost.PRECOPY_UNPROVEN);
        assertThat(source.machine.refuse(new SourceInput.ResolveHere()) == null).isEqualTo(!known);

        source.then(new SourceInput.Resume()).expect("=postcopy-recover-setup", "connect");
        source.in(new SourceState.RecoverSetup(origin));
    }
}
