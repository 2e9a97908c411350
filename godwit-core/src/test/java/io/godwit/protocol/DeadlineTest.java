// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DeadlineTest {
    private static final long MILLIS = 1_000_000;
    private static final Parameters TEN_AND_SEVEN = new Parameters(0, 0, 300, 0, 10, 7, 1);
    private static final Parameters FOR_EVER = new Parameters(0, 0, 300, 0, 0, 0, 1);

    private final Deadline deadline = new Deadline();

    @Test
    void nothingIsWaitedForAtFirst() {
        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(Long.MAX_VALUE);
        deadline.progressed(5);
        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void eachKindOfWaitHasItsOwnParameter() {
        deadline.expect(Deadline.Kind.HANDSHAKE, 100);
        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(100 + 10 * MILLIS);

        deadline.expect(Deadline.Kind.LIVENESS, 200);
        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(200 + 7 * MILLIS);
    }

    @Test
    void itCountsFromTheLastProgress() {
        deadline.expect(Deadline.Kind.HANDSHAKE, 0);
        deadline.progressed(9 * MILLIS);
        deadline.progressed(18 * MILLIS);

        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(28 * MILLIS);
    }

    @Test
    void aChangedParameterCountsForTheWaitThatIsUnderWay() {
        deadline.expect(Deadline.Kind.HANDSHAKE, 0);
        assertThat(deadline.at(new Parameters(0, 0, 300, 0, 3, 7, 1))).isEqualTo(3 * MILLIS);
        assertThat(deadline.at(FOR_EVER)).isEqualTo(Long.MAX_VALUE);
        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(10 * MILLIS);
    }

    @Test
    void aWaitThatIsOverHasNoDeadline() {
        deadline.expect(Deadline.Kind.LIVENESS, 0);
        deadline.none();

        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aClockBelowZeroIsAClock() {
        deadline.expect(Deadline.Kind.HANDSHAKE, -50 * MILLIS);

        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(-40 * MILLIS);
    }

    @Test
    void aCopyIsItsOwnAndLooksTheSameAtTheSameDistance() {
        deadline.expect(Deadline.Kind.HANDSHAKE, 100);
        Deadline copy = new Deadline();
        assertThat(copy.relativeTo(0)).isEqualTo("-");
        copy.become(deadline);
        assertThat(copy.relativeTo(130)).isEqualTo(deadline.relativeTo(130));

        copy.progressed(200);

        assertThat(deadline.at(TEN_AND_SEVEN)).isEqualTo(100 + 10 * MILLIS);
        assertThat(copy.relativeTo(230)).isEqualTo(deadline.relativeTo(130));
        copy.expect(Deadline.Kind.LIVENESS, 200);
        assertThat(copy.relativeTo(230)).isNotEqualTo(deadline.relativeTo(130));
    }
}
