// SPDX-License-Identifier: Apache-2.0

/**
 * The simulator: a whole migration, both ends, deterministically in one thread.
 *
 * <p>Network, clock and disk are simulated and their faults are seeded, while the bytes are the real encoded ones. A
 * failing seed prints one line that replays it; it ships with the core so that others can run it.
 */
@NullMarked
package io.godwit.sim;

import org.jspecify.annotations.NullMarked;
