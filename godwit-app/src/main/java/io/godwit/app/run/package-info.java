// SPDX-License-Identifier: Apache-2.0

/**
 * One endpoint as a process of its own: a guest, its migrations, and QMP for whoever operates it.
 *
 * <p>It is to Godwit's guest what a QEMU process is to a virtual machine.
 */
@NullMarked
package io.godwit.app.run;

import org.jspecify.annotations.NullMarked;
