// SPDX-License-Identifier: Apache-2.0

/**
 * Parking a VM in a folder on disk and bringing it out again: an endpoint whose guest is a store, and, where it is known, the QMP of the QEMU at the other end, driven from here.
 *
 * <p>One thread, the command's own, decides what is to be done next; the endpoint's loop and signals reach it as {@link io.godwit.app.park.Happening}s.
 */
@NullMarked
package io.godwit.app.park;

import org.jspecify.annotations.NullMarked;
