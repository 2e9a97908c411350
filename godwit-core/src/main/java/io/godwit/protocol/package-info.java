// SPDX-License-Identifier: Apache-2.0

/**
 * The two pure state machines, source and destination, and their helpers by noun.
 *
 * <p>An event and the time go in, effects come out: there is no I/O, no thread and no clock here, and an architecture test
 * says so. A machine can be copied and compared, with deadlines relative to now, so that a model checker can walk it.
 */
@NullMarked
package io.godwit.protocol;

import org.jspecify.annotations.NullMarked;
