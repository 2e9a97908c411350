// SPDX-License-Identifier: Apache-2.0

/** Parked VMs on this machine's disk: which there are, whether they are whole, and their ways in and out that are no migration. */
@NullMarked
package io.godwit.app.store;

import org.jspecify.annotations.NullMarked;
