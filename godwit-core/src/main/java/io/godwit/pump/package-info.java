// SPDX-License-Identifier: Apache-2.0

/**
 * The one path of a page, behind small interfaces.
 *
 * <p>On one side the scheduler's choice becomes records and then bytes; on the other, bytes are claimed, placed and
 * published. The engine and the simulator use the same code, else the simulator would prove another path.
 */
@NullMarked
package io.godwit.pump;

import org.jspecify.annotations.NullMarked;
