// SPDX-License-Identifier: Apache-2.0

/**
 * Addresses, and the byte streams between them: one {@link io.godwit.net.Reactor} per loop owns all its sockets and is
 * its only wait.
 *
 * <p>A connection may be aborted from any thread, by shutting it down, never by an interrupt. Messages are not known
 * here, only bytes. {@link io.godwit.net.Relay} is a network that fails on order, for the demo and for tests.
 */
@NullMarked
package io.godwit.net;

import org.jspecify.annotations.NullMarked;
