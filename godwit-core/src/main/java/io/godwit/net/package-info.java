// SPDX-License-Identifier: Apache-2.0

/**
 * URIs, connect, listen, TLS and abort, behind a channel that does not show whether NIO or a raw fd is underneath.
 *
 * <p>A channel may be aborted from any thread, by closing it, never by an interrupt. Messages are not known here, only
 * bytes.
 */
@NullMarked
package io.godwit.net;

import org.jspecify.annotations.NullMarked;
