// SPDX-License-Identifier: Apache-2.0

/**
 * {@code godwit sim}: the simulator's and the model checker's front.
 *
 * <p>What is simulated, and which rules hold after every event, is {@code io.godwit.sim}'s matter; here are threads, progress and tables.
 */
@NullMarked
package io.godwit.app.sim;

import org.jspecify.annotations.NullMarked;
