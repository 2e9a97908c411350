// SPDX-License-Identifier: Apache-2.0

/**
 * A relay between two ends that can be told to cut, stall or delay.
 *
 * <p>It stands in for a network that misbehaves, by hand or by script.
 */
@NullMarked
package io.godwit.app.relay;

import org.jspecify.annotations.NullMarked;
