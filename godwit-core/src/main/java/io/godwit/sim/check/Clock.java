// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.Parameters;

/**
 * Time, which stands still here: every deadline is armed at the same moment, and whether it passes is a choice. It passes by a parameter that for the length of one tick says that
 * the time is up already; PINGs are due as soon as they may be.
 */
enum Clock {
    /** A deadline has passed, or a silence has lasted too long. */
    TIME_OUT,
    /** It is time for a PING, or for a sign of life. */
    SIGN;

    /** The one moment, in nanoseconds. */
    static final long NOW = 10_000_000;

    static final Parameters USUAL = new Parameters(0, 0, 300, 0, 10_000, 10_000, -1);
    static final Parameters TIME_IS_UP = new Parameters(0, 0, 300, 0, -1, -1, 0);
}
