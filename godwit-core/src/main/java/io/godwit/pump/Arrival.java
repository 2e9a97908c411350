// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockInfo;
import java.util.List;

/**
 * What is known of a machine when its block list has come.
 *
 * @param blocks in the source's order
 * @param returnPath the source hears what becomes of it; without it, it takes its last write for success
 * @param nonce the number by which a Godwit source names the migration, or -1 if it has not (yet)
 */
public record Arrival(StreamIdentity identity, List<BlockInfo> blocks, boolean returnPath, int nonce) {
    public Arrival {
        blocks = List.copyOf(blocks);
    }
}
