// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/** A rule of DESIGN was broken, here and now: ends a simulation. An Error, so that no code under test takes it for a guest's failure. */
final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    Violation(String what) {
        super(what);
    }

    Violation(String what, Throwable cause) {
        super(what, cause);
    }
}
