// SPDX-License-Identifier: Apache-2.0

/**
 * Real QEMUs for tests, of the core and of the application: processes, a guest of our own that writes all the time, and the checks of its memory.
 * {@code bin/install-qemu} puts the programs where {@link io.godwit.qemu.QemuVersion} finds them; a test that needs one which is not there is passed over.
 */
@NullMarked
package io.godwit.qemu;

import org.jspecify.annotations.NullMarked;
