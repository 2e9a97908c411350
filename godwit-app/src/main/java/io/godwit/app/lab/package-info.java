// SPDX-License-Identifier: Apache-2.0

/**
 * What commands that play with real processes share: children that end with this process, their QMP, two relays in a row, the folder of their sockets, and a board that knows
 * what has happened and wakes who waits for it.
 */
@NullMarked
package io.godwit.app.lab;

import org.jspecify.annotations.NullMarked;
