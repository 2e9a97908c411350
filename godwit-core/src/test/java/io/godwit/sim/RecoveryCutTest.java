// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.protocol.MigrationStatus.COMPLETED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_PAUSED;
import static io.godwit.protocol.MigrationStatus.UNCERTAIN;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import java.util.function.LongFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A recovery that fails after every byte of its handshake, in either direction, in every way: always paused on both sides, and the next one succeeds. */
class RecoveryCutTest {
    /** Handshake and the first page: RECV_BITMAP twice, RESUME, PING, PART, and 4 KiB. */
    private static final int FORWARD = 200;
    /** Two bitmaps, RESUME_ACK, PONG and the first requests. */
    private static final int BACKWARD = 130;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cutOnTheWayThere(boolean preempt) {
        everywhere(preempt, FORWARD, n -> LinkPlan.GOOD.withForward(new PipeFault.Cut(n, n % 2 == 0)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cutOnTheWayBack(boolean preempt) {
        everywhere(preempt, BACKWARD, n -> LinkPlan.GOOD.withBackward(new PipeFault.Cut(n, n % 2 == 0)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void silenceOnTheWayThere(boolean preempt) {
        everywhere(preempt, FORWARD, n -> LinkPlan.GOOD.withForward(new PipeFault.Silence(n, n % 2 == 0)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void silenceOnTheWayBack(boolean preempt) {
        everywhere(preempt, BACKWARD, n -> LinkPlan.GOOD.withBackward(new PipeFault.Silence(n, n % 2 == 0)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPipeThatTakesOneByteAtATime(boolean preempt) {
        // Seconds for a page, and no deadline runs out while a byte moves.
        Story story = Story.of(Story.options(true, true, preempt), Parameters.DEFAULT);
        story.paused().nextMain(LinkPlan.GOOD.withRoom(1)).recoversAndCompletes();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4, 9, 100, 4000})
    void thePreemptChannelIsCut(long after) {
        Story story = Story.preempt().paused();
        story.nextPreempt(LinkPlan.GOOD.withForward(new PipeFault.Cut(after, true)))
                .source(new SourceInput.Resume())
                .pass(3_000);
        if (story.sourceStatus() != COMPLETED) {
            story.until(POSTCOPY_PAUSED, POSTCOPY_PAUSED).recoversAndCompletes();
        }
    }

    private static void everywhere(boolean preempt, int bytes, LongFunction<LinkPlan> fault) {
        int failed = 0;
        for (long n = 1; n <= bytes; n++) {
            Story story = preempt ? Story.preempt() : Story.postcopy();
            story.paused().nextMain(fault.apply(n)).source(new SourceInput.Resume());
            story.until(
                    "the recovery failed, or went through",
                    () -> story.sourceStatus() == POSTCOPY_PAUSED || story.sourceStatus() == COMPLETED);
            assertThat(story.sourceStatus()).isNotEqualTo(UNCERTAIN);
            if (story.sourceStatus() == POSTCOPY_PAUSED) {
                failed++;
                story.until(
                        "the destination has noticed",
                        () -> story.destinationStatus() == POSTCOPY_PAUSED || story.destinationStatus() == COMPLETED);
                story.source(new SourceInput.Resume());
            }
            story.completes();
        }
        assertThat(failed).as("places at which the recovery failed").isGreaterThan(bytes / 2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anOperatorGivesUpAtEveryMomentOfTheHandshake(boolean destination) {
        for (long micros = 0; micros <= 400; micros += 5) {
            Story story = Story.postcopy().paused().source(new SourceInput.Resume());
            long until = story.world.queue().now() + micros * 1000;
            while (story.world.queue().next() <= until) {
                story.world.queue().step();
            }
            if (destination) {
                if (story.world.destination().operator(new DestinationInput.Pause()) != null) {
                    continue;
                }
            } else {
                if (story.world.source().operator(new SourceInput.Pause()) != null) {
                    continue;
                }
            }
            story.until(
                    "the other end has noticed, or has everything",
                    () -> story.sourceStatus() == POSTCOPY_PAUSED
                            && (story.destinationStatus() == POSTCOPY_PAUSED
                                    || story.destinationStatus() == COMPLETED));
            story.recoversAndCompletes();
        }
    }
}
