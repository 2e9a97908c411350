// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/** The simulated machine has lost power: nothing that runs on it goes on. */
public final class PowerLoss extends RuntimeException {
    private static final long serialVersionUID = 1;

    PowerLoss() {
        super("the simulated machine has lost power", null, false, false);
    }
}
