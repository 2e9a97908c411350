// SPDX-License-Identifier: Apache-2.0

/**
 * Real QEMUs for tests, of the core and of the application: processes, and what is asked of them; the guest that
 * writes all the time is {@link io.godwit.guest.BootSector}.
 * {@code bin/install-qemu} puts the programs where {@link io.godwit.qemu.QemuVersion} finds them; a test that needs one which is not there is passed over.
 */
@NullMarked
package io.godwit.qemu;

import org.jspecify.annotations.NullMarked;
