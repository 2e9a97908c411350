// SPDX-License-Identifier: Apache-2.0

/**
 * Virtual machines of real QEMUs, for the commands that start some themselves: which QEMUs are here, and processes that end with this one.
 *
 * <p>The guest that they run is {@link io.godwit.guest.BootSector}, in the core, whose tests need it too.
 */
@NullMarked
package io.godwit.app.vm;

import org.jspecify.annotations.NullMarked;
