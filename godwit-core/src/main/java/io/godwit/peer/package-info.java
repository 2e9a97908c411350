// SPDX-License-Identifier: Apache-2.0

/**
 * The QEMU at the other end, as its QMP shows and moves it ({@code spec/qmp.md}): who it is, whether it fits, what it has to be set to, the commands of a
 * migration, and what became of the guest there after a channel died at a bad moment.
 *
 * <p>{@link io.godwit.peer.QemuPeer} is the connection; {@link io.godwit.peer.QemuSource} and {@link io.godwit.peer.QemuDestination} are its two parts in a migration.
 * Nothing waits without a deadline, and every error is a sentence that names the peer.
 */
@NullMarked
package io.godwit.peer;

import org.jspecify.annotations.NullMarked;
