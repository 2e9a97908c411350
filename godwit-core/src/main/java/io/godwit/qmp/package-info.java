// SPDX-License-Identifier: Apache-2.0

/**
 * QEMU's control protocol: its messages, a server and a client.
 *
 * <p>As server it shows QEMU's state order and members, so that tools written for QEMU work unchanged. Replies are matched
 * by id, never by order.
 */
@NullMarked
package io.godwit.qmp;

import org.jspecify.annotations.NullMarked;
