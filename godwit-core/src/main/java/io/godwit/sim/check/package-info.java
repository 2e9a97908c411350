// SPDX-License-Identifier: Apache-2.0

/**
 * The model checker: every state that two real state machines, the messages between them and everybody's choices can reach in a small world, looked at one by one.
 *
 * <p>{@link io.godwit.protocol.SourceMachine} and {@link io.godwit.protocol.DestinationMachine} are the shipped classes. What stands between them is modelled as little as
 * can be: which message each effect sends and which input each message causes, two blocks of two pages, and time that stands still, so that a deadline that passes is a choice like
 * any other. The simulator next door runs the real pump and the real bytes instead, but only as many schedules as it has time for.
 */
@NullMarked
package io.godwit.sim.check;

import org.jspecify.annotations.NullMarked;
