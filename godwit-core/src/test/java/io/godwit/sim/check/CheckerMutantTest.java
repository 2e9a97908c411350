// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.PageRule;
import io.godwit.protocol.SourceEffect;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The checker can fail: each deliberate bug is found, with the rule that it breaks and the shortest way to it. */
class CheckerMutantTest {
    /** The bug that this project began with: in RECOVER nothing is heard, no broken channel, no deadline, no operator. */
    @Test
    void aRecoverThatTheSourceCannotLeave() {
        CheckReport report = caught(
                CheckWorld.recovery(1),
                Bugs.NONE.withDeafSource((state, input) -> state instanceof SourceState.Recover
                        && (input instanceof SourceInput.Broken
                                || input instanceof SourceInput.Tick
                                || input instanceof SourceInput.Pause)),
                "no good end can be reached");
        assertThat(report.dialogue())
                .anyMatch(line -> line.contains("Resume"))
                .anyMatch(line -> line.startsWith("! "))
                .last()
                .asString()
                .contains("Recover");
    }

    /** What a destination of QEMU 7.2 comes to when its recovery's channel breaks: the process is gone, and nobody hears a newer connection. */
    @Test
    void aDestinationThatDiesOfItsRecovery() {
        caught(
                CheckWorld.recovery(1),
                Bugs.NONE.withDeafDestination((state, input) -> state instanceof DestinationState.Recover
                        && (input instanceof DestinationInput.Broken
                                || input instanceof DestinationInput.Tick
                                || input instanceof DestinationInput.Pause
                                || input instanceof DestinationInput.RecoveryOpened)),
                "no good end can be reached");
    }

    /** What QEMU does when only the final SHUT of a precopy is lost. */
    @Test
    void aSourceThatRunsItsGuestWhenTheLastWordIsLost() {
        CheckReport report = caught(
                CheckWorld.precopy(1),
                Bugs.NONE.withSourceEffects(
                        (state, effect) -> effect instanceof SourceEffect.StatusChanged(var _, var to, var _)
                                        && to == MigrationStatus.UNCERTAIN
                                ? List.of(effect, new SourceEffect.ResumeGuest())
                                : List.of(effect)),
                "the guest runs at");
        assertThat(report.dialogue()).anyMatch(line -> line.contains("PRECOPY_END") || line.contains("commit point"));
    }

    @Test
    void aSourceThatFailsAndForgetsItsGuest() {
        caught(
                CheckWorld.precopy(1),
                Bugs.NONE.withSourceEffects(
                        (state, effect) -> effect instanceof SourceEffect.ResumeGuest ? List.of() : List.of(effect)),
                "no good end can be reached");
    }

    @Test
    void aPausedSourceThatKeepsItsChannel() {
        caught(
                CheckWorld.recovery(1),
                Bugs.NONE.withSourceEffects(
                        (state, effect) -> effect instanceof SourceEffect.DropChannels ? List.of() : List.of(effect)),
                "holds a channel");
    }

    @Test
    void aDestinationThatStartsItsGuestWithTheHeader() {
        caught(
                CheckWorld.precopy(0),
                Bugs.NONE.withDestinationEffects((state, effect) -> effect instanceof DestinationEffect.ResetMemory
                        ? List.of(effect, new DestinationEffect.StartGuest())
                        : List.of(effect)),
                "the guest starts at the destination and runs at the source");
    }

    @Test
    void aDestinationThatSaysShutTooEarly() {
        caught(
                CheckWorld.postcopy(1),
                Bugs.NONE.withDestinationEffects((state, effect) ->
                        effect instanceof DestinationEffect.LoadDevices(boolean postcopy, boolean _) && postcopy
                                ? List.of(effect, new DestinationEffect.Reply(new ReturnPathMessage.Shut(0)))
                                : List.of(effect)),
                "");
    }

    @Test
    void aDiscardThatIsForgotten() {
        caught(
                CheckWorld.postcopy(0),
                Bugs.NONE.withDeafDestination(
                        (state, input) -> input instanceof DestinationInput.Received(StreamMessage message)
                                && message instanceof StreamMessage.RamDiscard),
                "not what the source had at the switchover");
    }

    @Test
    void aPageThatComesAgainOverwritesWhatTheGuestWrote() {
        caught(
                CheckWorld.postcopy(0),
                Bugs.NONE.withPages(rule -> rule == PageRule.PLACE || rule == PageRule.DROP ? PageRule.STORE : rule),
                "is undone by a page that came again");
    }

    @Test
    void aStatusThatIsInNoTable() {
        caught(
                CheckWorld.postcopy(1),
                Bugs.NONE.withSourceEffects(
                        (state, effect) -> effect instanceof SourceEffect.StatusChanged(var from, var to, var reason)
                                        && to == MigrationStatus.POSTCOPY_PAUSED
                                ? List.of(new SourceEffect.StatusChanged(from, MigrationStatus.FAILED, reason))
                                : List.of(effect)),
                "which is in no table");
    }

    @Test
    void aBitmapThatIsNeverSent() {
        caught(
                CheckWorld.recovery(0),
                Bugs.NONE.withDestinationEffects((state, effect) ->
                        effect instanceof DestinationEffect.SendBitmap ? List.of() : List.of(effect)),
                "no good end can be reached");
    }

    private static CheckReport caught(CheckWorld world, Bugs bugs, String words) {
        CheckReport report = Checker.check(world, bugs);
        assertThat(report.violation())
                .as("%s, %d states", world.name(), report.states())
                .contains(words);
        assertThat(report.dialogue()).as("the way to it").hasSizeGreaterThan(2);
        return report;
    }
}
