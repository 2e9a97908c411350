// SPDX-License-Identifier: Apache-2.0

/**
 * The loops that drive the state machines: the only place, besides net, qmp and guest, that starts threads.
 *
 * <p>One thread owns a migration's state; all else reaches it as an event in one mailbox. The loop never blocks in I/O:
 * it has one wait, for readiness, the mailbox or a deadline together.
 */
@NullMarked
package io.godwit.engine;

import org.jspecify.annotations.NullMarked;
