// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.SourceState.Paused;
import io.godwit.protocol.SourceState.PostcopyActive;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A peer that does not survive the end of a recovery's connection before the handshake is complete: neither side ends one by itself. */
class HeldChannelTest {
    private static SourceDialogue sourceInHandshake(MigrationOptions options) {
        SourceDialogue source = asking(options);
        source.said();
        return source;
    }

    private static SourceDialogue asking(MigrationOptions options) {
        SourceDialogue source = new SourceDialogue(options)
                .active()
                .switched()
                .proven()
                .broken()
                .fragile();
        source.said();
        return source.then(new SourceInput.Resume()).connected();
    }

    private static DestinationDialogue destinationInHandshake() {
        DestinationDialogue destination = new DestinationDialogue(DestinationDialogue.POSTCOPY)
                .paused()
                .fragile()
                .sourceReturns();
        destination.said();
        return destination;
    }

    // ---- the source

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSourceThatGivesUpKeepsTheChannelAndUsesItAgain(boolean byDeadline) {
        SourceDialogue source = sourceInHandshake(SourceDialogue.POSTCOPY).bitmap(0);
        (byDeadline ? source.tickAfter(10_000) : source.then(new SourceInput.Pause())).expect("=postcopy-paused");
        assertThat(source.machine.held()).isTrue();
        assertThat(source.machine.error()).contains(byDeadline ? "nothing came for too long" : "migrate-pause");

        source.tickAfter(1_000_000).expect();

        source.then(new SourceInput.Revived()).expect("=postcopy-recover");
        assertThat(source.machine.held()).isFalse();
        source.bitmap(1).expect("send-resume");
        source.received(new ReturnPathMessage.ResumeAck(1)).expect("=postcopy-active");
    }

    @Test
    void oneThatComesBackToLifeMayFallSilentAgain() {
        SourceDialogue source = sourceInHandshake(SourceDialogue.POSTCOPY).tickAfter(10_000);
        source.then(new SourceInput.Revived()).said();
        source.tickAfter(9_999).expect();
        source.tickAfter(1).expect("=postcopy-paused");
        assertThat(source.machine.held()).isTrue();
    }

    @Test
    void anOperatorIsToldAndCanGiveItUp() {
        SourceDialogue source = sourceInHandshake(SourceDialogue.POSTCOPY).then(new SourceInput.Pause());
        source.said();
        assertThat(source.machine.refuse(new SourceInput.Resume())).contains("x-godwit-held", "yank");
        assertThat(source.machine.refuse(new SourceInput.ResolveHere())).contains("held");
        source.broken().expect("drop").in(new Paused());
        assertThat(source.machine.refuse(new SourceInput.Resume())).isNull();
    }

    @Test
    void oneWhoseChannelBreaksIsPausedAsAlways() {
        sourceInHandshake(SourceDialogue.POSTCOPY).broken().expect("drop", "=postcopy-paused");
    }

    @Test
    void towardsAnyOtherPeerItIsClosed() {
        SourceDialogue source = sourceInHandshake(SourceDialogue.POSTCOPY);
        source.machine.parameters(SourceDialogue.PARAMETERS);
        source.then(new SourceInput.Pause()).expect("drop", "=postcopy-paused").in(new Paused());
    }

    @Test
    void afterRESUME_ACKItIsClosedAsAlways() {
        sourceInHandshake(SourceDialogue.POSTCOPY)
                .bitmap(0)
                .bitmap(1)
                .received(new ReturnPathMessage.ResumeAck(1))
                .in(new PostcopyActive(true, false))
                .then(new SourceInput.Pause())
                .in(new Paused());
    }

    /** 7.2 answers nothing before its second channel is there. */
    @Test
    void thePreemptChannelIsAskedForWithTheBitmaps() {
        asking(SourceDialogue.PREEMPT)
                .expect(
                        "=postcopy-recover-setup",
                        "connect",
                        "=postcopy-recover",
                        "ask-bitmaps",
                        "ping",
                        "connect-preempt")
                .bitmap(0)
                .bitmap(1)
                .expect()
                .then(new SourceInput.Connected(Channel.PREEMPT))
                .expect("send-resume");
    }

    /** A pause is not undone by a connection of our own, behind which nobody may be. */
    @Test
    void thatThePreemptChannelIsConnectedIsNoSignOfLife() {
        SourceDialogue source = sourceInHandshake(SourceDialogue.PREEMPT).then(new SourceInput.Pause());
        source.expect("=postcopy-paused");

        source.then(new SourceInput.Connected(Channel.PREEMPT)).expect();
        assertThat(source.machine.held()).isTrue();

        source.bitmap(0).expect("=postcopy-recover").bitmap(1).expect("send-resume");
    }

    @Test
    void butItIsWhereNothingElseWasWaitedFor() {
        SourceDialogue source =
                sourceInHandshake(SourceDialogue.PREEMPT).bitmap(0).bitmap(1).then(new SourceInput.Pause());
        source.expect("=postcopy-paused");

        source.then(new SourceInput.Connected(Channel.PREEMPT)).expect("=postcopy-recover", "send-resume");
    }

    /** Main must not be closed, so the handshake goes on without it; what follows is an ordinary break. */
    @Test
    void aLostPreemptChannelEndsTheAttemptOnlyAfterTheHandshake() {
        SourceDialogue source = sourceInHandshake(SourceDialogue.PREEMPT);
        source.then(new SourceInput.Broken(Channel.PREEMPT, "refused")).expect();
        source.bitmap(0).bitmap(1).expect("send-resume");
        source.received(new ReturnPathMessage.ResumeAck(1))
                .expect("=postcopy-active", "drop", "=postcopy-paused")
                .in(new Paused());
        assertThat(source.machine.error()).isEqualTo("preempt channel: refused");
    }

    // ---- the destination

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDestinationThatGivesUpKeepsTheChannelAndUsesItAgain(boolean byDeadline) {
        DestinationDialogue destination = destinationInHandshake().asked(0);
        destination.said();
        (byDeadline ? destination.tickAfter(10_000) : destination.then(new DestinationInput.Pause()))
                .expect("=postcopy-paused");
        assertThat(destination.machine.held()).isTrue();

        destination.tickAfter(1_000_000).expect();

        destination.then(new DestinationInput.Revived()).expect("=postcopy-recover");
        destination.asked(1).expect("bitmap-1");
        destination.resume().expect("resume-ack-1", "=postcopy-active", "reissue");
    }

    @Test
    void aSourceThatMayStillWaitForRESUME_ACKIsNotLeft() {
        DestinationDialogue destination =
                destinationInHandshake().asked(0).asked(1).resume();
        destination.said();
        destination.then(new DestinationInput.Pause()).expect("=postcopy-paused");
        assertThat(destination.machine.held()).isTrue();
        destination.then(new DestinationInput.Revived()).expect("=postcopy-active");

        destination.machine.progressed(destination.now());
        destination.then(new DestinationInput.Pause()).expect("drop", "=postcopy-paused");
        assertThat(destination.machine.held()).isFalse();
    }

    @Test
    void oneThatHasSaidSomethingSinceCanBeLeft() {
        DestinationDialogue destination =
                destinationInHandshake().asked(0).asked(1).resume();
        destination.said();
        destination.machine.progressed(destination.now());
        destination.then(new DestinationInput.Pause()).expect("drop", "=postcopy-paused");
    }

    /** Only a source that survives everything can come by another connection. */
    @Test
    void aNewerConnectionTakesThePlaceOfOneThatIsHeld() {
        DestinationDialogue destination = destinationInHandshake().then(new DestinationInput.Pause());
        destination.said();
        assertThat(destination.machine.recoverable()).isTrue();
        destination.sourceReturns().expect("drop", "notice", "=postcopy-recover");
        destination.received(new StreamMessage.Ping(1)).expect("pong-1");
    }

    @Test
    void theStorageOfOneThatIsHeldMayFail() {
        DestinationDialogue destination = destinationInHandshake().then(new DestinationInput.Pause());
        destination.said();
        destination.then(new DestinationInput.StorageFailed("no room")).expect("drop", "mend");
    }
}
