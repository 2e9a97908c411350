// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.protocol.MigrationStatus.COMPLETED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_PAUSED;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A handshake that stands still, with peers that do not survive its end: both sides pause, hold it, and it is the one that recovers. */
class HeldChannelStoryTest {
    /** Longer than any deadline. */
    private static final long LONG = 3_000 * Story.MILLIS;

    private static Story story(boolean preempt) {
        return Story.of(Story.options(true, true, preempt), Story.QUICK.withPeerMayBe72(true))
                .paused();
    }

    private static void everywhere(boolean preempt, boolean forward, int bytes) {
        int held = 0;
        for (long n = 0; n <= bytes; n += 3) {
            PipeFault stall = new PipeFault.Stall(n, LONG);
            Story story = story(preempt)
                    .nextMain(forward ? LinkPlan.GOOD.withForward(stall) : LinkPlan.GOOD.withBackward(stall))
                    .source(new SourceInput.Resume());
            boolean[] seen = new boolean[1];
            story.until("the recovery is through, or ended past the handshake", () -> {
                boolean holds = story.world.source().holdsChannel()
                        || story.world.destination().session().holdsChannel();
                seen[0] |= holds;
                return story.sourceStatus() == COMPLETED || (story.sourceStatus() == POSTCOPY_PAUSED && !holds);
            });
            if (story.sourceStatus() == POSTCOPY_PAUSED) {
                // Past the handshake a silent path is an ordinary break; its first bytes are never past it.
                assertThat(n).as("bytes after which a break was made").isGreaterThan(20);
                story.until("the destination has noticed", () -> story.destinationStatus() == POSTCOPY_PAUSED)
                        .recoversAndCompletes();
                continue;
            }
            held += seen[0] ? 1 : 0;
            assertThat(story.world.destination().session().stats().recoveries())
                    .as("connections that recovered, silent from byte %s on", n)
                    .isEqualTo(1);
        }
        assertThat(held).as("places at which the channel was held").isGreaterThan(5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPathThatIsSilentOnTheWayThere(boolean preempt) {
        everywhere(preempt, true, 60);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPathThatIsSilentOnTheWayBack(boolean preempt) {
        everywhere(preempt, false, 60);
    }

    @Test
    void operatorsAtBothEndsPauseAndNothingIsClosed() {
        Story story = story(false)
                .nextMain(LinkPlan.GOOD.withBackward(new PipeFault.Stall(0, LONG)))
                .source(new SourceInput.Resume());
        story.until(
                "both are in it",
                () -> story.world.source().state() instanceof SourceState.Recover
                        && story.world.destination().state() instanceof DestinationState.Recover);
        story.source(new SourceInput.Pause()).destination(new DestinationInput.Pause());
        assertThat(story.world.source().holdsChannel()).isTrue();
        assertThat(story.world.destination().session().holdsChannel()).isTrue();
        story.sourceRefuses(new SourceInput.Resume(), "held");
        story.completes();
        assertThat(story.world.destination().session().stats().recoveries()).isEqualTo(1);
    }

    @Test
    void whoWantsItOverAllTheSameSaysSo() {
        Story story = story(false)
                .nextMain(LinkPlan.GOOD.withForward(new PipeFault.Silence(0, true)))
                .source(new SourceInput.Resume());
        story.until("the source holds it", () -> story.world.source().holdsChannel());
        story.world.source().yank();
        assertThat(story.world.source().holdsChannel()).isFalse();
        story.recoversAndCompletes();
    }
}
