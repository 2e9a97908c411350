// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.PageBitmap;

/**
 * A message from the destination to the source, {@code spec/return-path.md §2}: {@code u16 type, u16 length, payload}, big-endian. All are values
 * that may be kept.
 */
public sealed interface ReturnPathMessage {
    /** Type 1, {@code u32 status}: nothing more will come; 0 means that all went well. */
    record Shut(int status) implements ReturnPathMessage {}

    /** Type 2, {@code u32 value}: the answer to a PING. */
    record Pong(int value) implements ReturnPathMessage {}

    /**
     * Type 3, {@code u64 offset, u32 length, str8 block}: a page request that names its block.
     *
     * @param offset bytes, a multiple of the block's page size
     * @param length bytes, a positive multiple of the block's page size
     */
    record ReqPagesId(String block, long offset, int length) implements ReturnPathMessage {}

    /** Type 4, {@code u64 offset, u32 length}: a page request in the block of the last {@link ReqPagesId} of this connection. */
    record ReqPages(long offset, int length) implements ReturnPathMessage {}

    /**
     * Type 5, {@code str8 block}, and outside of the length {@code u64 size, bitmap, u64 trailer}, §3: the pages that the destination has.
     *
     * @param block index in the table of the decoder or encoder
     */
    record RecvBitmap(int block, PageBitmap bitmap) implements ReturnPathMessage {}

    /** Type 6, {@code u32 value}, which is 1: the destination goes on with postcopy. */
    record ResumeAck(int value) implements ReturnPathMessage {}

    /** Type 7, no payload: the source may switch over, §6. */
    record SwitchoverAck() implements ReturnPathMessage {}
}
