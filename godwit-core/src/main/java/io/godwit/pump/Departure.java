// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/**
 * How a guest leaves.
 *
 * @param postcopy the switch to postcopy was wanted when the guest was stopped
 * @param nonce names the migration in its PINGs ({@link io.godwit.protocol.MigrationOptions#nonce})
 */
public record Departure(boolean postcopy, int nonce) {}
