// SPDX-License-Identifier: Apache-2.0

/**
 * The interface that a guest implements, and the embedded guests.
 *
 * <p>A guest is named RAM blocks, device state, and a switch that stops or runs it. The embedded guests write their
 * memory all the time and can tell afterwards whether it is still what they wrote.
 */
@NullMarked
package io.godwit.guest;

import org.jspecify.annotations.NullMarked;
