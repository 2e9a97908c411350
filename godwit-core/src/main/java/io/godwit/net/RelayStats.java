// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/**
 * What a {@link Relay} has done since it was started.
 *
 * @param accepted connections so far
 * @param open connections now
 * @param forwardBytes passed on to the target
 * @param backBytes passed on from the target
 * @param forwardSwallowed read from those who connected and thrown away
 * @param backSwallowed read from the target and thrown away
 */
public record RelayStats(
        long accepted, int open, long forwardBytes, long backBytes, long forwardSwallowed, long backSwallowed) {}
