// SPDX-License-Identifier: Apache-2.0

/** {@code godwit qmp}: commands and events of any QMP server, a QEMU or a Godwit, from the command line. */
@NullMarked
package io.godwit.app.qmp;

import org.jspecify.annotations.NullMarked;
