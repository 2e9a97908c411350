// SPDX-License-Identifier: Apache-2.0

/**
 * RAM over memory, files and memfd: presence, dirty marks, checked accessors and placement.
 *
 * <p>A page is claimed, placed and then present, by compare-and-set, and a present page is never overwritten. It knows
 * nothing of messages or of the protocol.
 */
@NullMarked
package io.godwit.memory;

import org.jspecify.annotations.NullMarked;
