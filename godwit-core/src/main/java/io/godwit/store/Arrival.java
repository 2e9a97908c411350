// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a VM when its block list has come.
 *
 * @param machine the machine type as in the stream's configuration
 * @param blocks 1 to {@link #MAX_BLOCKS}, all on pages of 4096 bytes, in the source's order
 * @param ramSectionId the section id that the source gave to "ram": a recovery by a new process needs it
 * @param qemuVersion the source's, for example {@code 10.0.2}, or null if nobody said
 * @param peer the address of the source's QMP, or null if nobody said: what a QEMU at another one says proves nothing of this
 * @param uuid the VM's, or null if nobody said
 * @param nonce what a Godwit source's keep-alive PINGs said, or -1
 */
public record Arrival(
        String machine,
        List<BlockInfo> blocks,
        int ramSectionId,
        @Nullable String qemuVersion,
        @Nullable String peer,
        @Nullable UUID uuid,
        int nonce) {
    /** Most blocks of one VM. */
    public static final int MAX_BLOCKS = 1024;

    public Arrival {
        blocks = List.copyOf(blocks);
        if (blocks.isEmpty() || blocks.size() > MAX_BLOCKS) {
            throw new IllegalArgumentException(
                    "a VM in the store has 1 to " + MAX_BLOCKS + " RAM blocks, this one has " + blocks.size());
        }
        for (BlockInfo block : blocks) {
            if (block.pageSize() != Pages.SIZE) {
                throw new IllegalArgumentException("RAM block '" + block.name() + "' is on pages of " + block.pageSize()
                        + " bytes; the store takes those of " + Pages.SIZE + " only");
            }
        }
    }
}
