// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.UUID;

/**
 * One element of a multifd channel, {@code spec/multifd.md}, in this order: {@link Init} once; then for each packet {@link MultifdPacket}, its
 * pages as {@link MultifdPage}, and {@link Sync} if the packet carries that flag, which old sources set on packets with pages.
 *
 * <p>Packets and pages are views that the decoder uses again; the others are values that may be kept.
 */
public sealed interface MultifdMessage permits MultifdMessage.Init, MultifdMessage.Sync, MultifdPacket, MultifdPage {
    /**
     * {@code u32 0x11223344, u32 1, 16 bytes uuid, u8 id, 3 reserved bytes, u32 attempt, 32 reserved bytes}: the first 64 bytes of the channel, §1. All that
     * is reserved is zero; what a peer may put there is not kept. To QEMU the attempt is reserved, too, and not looked at.
     *
     * @param uuid the guest's, all zero if it has none
     * @param id number of the channel, from 0; channels arrive in any order
     * @param attempt Godwit's own: what tells the channels of one attempt from those of another, 0 if the source does not say
     */
    record Init(UUID uuid, int id, int attempt) implements MultifdMessage {
        /** What stands for "no UUID". */
        public static final UUID NO_UUID = new UUID(0, 0);

        public Init {
            if (id < 0 || id > 0xff) {
                throw new IllegalArgumentException("a multifd channel's number is 0 to 255, got " + id);
            }
        }

        /** As QEMU begins it. */
        public Init(UUID uuid, int id) {
            this(uuid, id, 0);
        }
    }

    /**
     * The channel has reached a sync point, §5. Its next packet may be taken only when the main channel has reached the same point, which {@link
     * MultifdSyncPoints} tells: otherwise a page could be overtaken by its older copy on another channel.
     */
    record Sync() implements MultifdMessage {}
}
