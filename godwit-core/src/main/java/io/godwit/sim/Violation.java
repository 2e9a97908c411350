// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/** A rule of DESIGN was broken, here and now: ends a simulation. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String what) {
        super(what);
    }
}
