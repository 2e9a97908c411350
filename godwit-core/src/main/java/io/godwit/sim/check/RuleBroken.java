// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

/** A rule does not hold in the state that was just reached. */
final class RuleBroken extends RuntimeException {
    private static final long serialVersionUID = 1;

    RuleBroken(String what) {
        super(what, null, false, false);
    }
}
