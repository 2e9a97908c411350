// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A PING every second; a path that answers nothing for ten is broken. */
class LivenessTest {
    private static final long SECOND = 1_000_000_000;
    private static final long NEVER = Long.MAX_VALUE;

    private final Liveness liveness = new Liveness();
    private Parameters parameters = Parameters.DEFAULT;
    private long now = 50 * SECOND;

    @BeforeEach
    void starts() {
        liveness.start(now);
    }

    private void after(double seconds) {
        now += (long) (seconds * SECOND);
    }

    private void pings() {
        assertThat(liveness.nextTick(parameters)).as("it asks to be looked at").isLessThanOrEqualTo(now);
        assertThat(liveness.pingDue(now, parameters)).as("a PING is due").isTrue();
        assertThat(liveness.pingDue(now, parameters)).as("one at a time").isFalse();
    }

    private void silentIn(double seconds) {
        long when = now + (long) (seconds * SECOND);
        assertThat(liveness.nextTick(parameters)).isEqualTo(when);
        assertThat(liveness.silent(when - 1, parameters)).isFalse();
        assertThat(liveness.silent(when, parameters)).isTrue();
    }

    @Test
    void theFirstPingIsDueAtOnceAndTheNextASecondAfterThePong() {
        pings();
        liveness.written(now);
        after(0.3);
        liveness.heard(true, now, parameters);

        assertThat(liveness.nextTick(parameters)).isEqualTo(now + SECOND);
        after(0.99);
        assertThat(liveness.pingDue(now, parameters)).isFalse();
        after(0.01);
        pings();
    }

    @Test
    void aPingThatNobodyAnswersBreaksThePathTenSecondsAfterItWentOut() {
        pings();
        after(3);
        liveness.written(now);

        silentIn(10);
    }

    @Test
    void aMessageThatIsNoPongShowsThatThePathIsAlive() {
        pings();
        liveness.written(now);
        after(9);
        liveness.heard(false, now, parameters);

        silentIn(10);
        after(9);
        liveness.heard(true, now, parameters);
        assertThat(liveness.silent(now + 100 * SECOND, parameters)).isFalse();
    }

    @Test
    void aLongQueueInFrontOfAPingIsNoSilenceAsLongAsItMoves() {
        pings();
        for (int i = 0; i < 20; i++) {
            after(9);
            assertThat(liveness.silent(now, parameters)).isFalse();
            liveness.moved(now);
        }

        silentIn(10);
        liveness.written(now);
        after(5);
        liveness.moved(now);
        silentIn(5);
    }

    @Test
    void onlyTheBytesOfThePingThatIsUnderWayBeginItsDeadline() {
        liveness.written(now);
        assertThat(liveness.silent(now + 100 * SECOND, parameters)).isFalse();

        pings();
        liveness.written(now);
        after(4);
        liveness.written(now);

        silentIn(6);
    }

    @Test
    void aPongThatNobodyAskedForChangesNothing() {
        after(0.5);
        liveness.heard(true, now, parameters);

        pings();
    }

    @Test
    void aPongMayOvertakeTheWordThatThePingWentOut() {
        pings();
        liveness.heard(true, now, parameters);
        liveness.written(now);

        assertThat(liveness.silent(now + 100 * SECOND, parameters)).isFalse();
        assertThat(liveness.nextTick(parameters)).isEqualTo(now + SECOND);
    }

    @Test
    void whoStopsIsNeitherSilentNorDue() {
        pings();
        liveness.written(now);
        liveness.stop();

        assertThat(liveness.nextTick(parameters)).isEqualTo(NEVER);
        assertThat(liveness.silent(now + 100 * SECOND, parameters)).isFalse();
        assertThat(liveness.pingDue(now + 100 * SECOND, parameters)).isFalse();
    }

    @Test
    void whoStartsAgainOwesNothingFromBefore() {
        pings();
        liveness.written(now);
        after(9);
        liveness.start(now);

        pings();
        liveness.written(now);
        silentIn(10);
    }

    @Test
    void zeroMeansNoPingsOrNoEnd() {
        parameters = new Parameters(0, 0, 300, 0, 10_000, 10_000, 0);
        assertThat(liveness.pingDue(now, parameters)).isFalse();
        assertThat(liveness.nextTick(parameters)).isEqualTo(NEVER);

        parameters = new Parameters(0, 0, 300, 0, 10_000, 0, 1_000);
        pings();
        liveness.written(now);
        assertThat(liveness.silent(NEVER, parameters)).isFalse();
        assertThat(liveness.nextTick(parameters)).isEqualTo(NEVER);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, Long.MAX_VALUE / 2})
    void anyBeginningWillDo(long origin) {
        now = origin;
        liveness.start(now);
        pings();
        silentIn(10);
        liveness.written(now);
        silentIn(10);
        liveness.heard(true, now, parameters);
        assertThat(liveness.nextTick(parameters)).isEqualTo(now + SECOND);
    }

    @Test
    void aCopyIsItsOwnAndLooksTheSameAtTheSameDistance() {
        pings();
        Liveness copy = new Liveness();
        copy.become(liveness);
        assertThat(copy.relativeTo(now)).isEqualTo(liveness.relativeTo(now));

        copy.written(now);
        assertThat(copy.relativeTo(now)).isNotEqualTo(liveness.relativeTo(now));
        liveness.written(now);
        assertThat(copy.relativeTo(now)).isEqualTo(liveness.relativeTo(now));
        assertThat(copy.relativeTo(now + 1)).isNotEqualTo(liveness.relativeTo(now));
    }
}
