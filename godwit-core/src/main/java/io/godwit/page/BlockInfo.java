// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

/**
 * One RAM block as the stream names it: {@code spec/stream.md §7.1}.
 *
 * @param name the block's name, 1 to 255 bytes of UTF-8 on the wire, for example {@code pc.ram}
 * @param usedLength length in bytes, a positive multiple of {@link Pages#SIZE}
 * @param pageSize host page size of the block's backing in bytes; only {@link Pages#SIZE} is handled yet
 */
public record BlockInfo(String name, long usedLength, long pageSize) {
    public BlockInfo {
        if (name.isEmpty() || name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > 255) {
            throw new IllegalArgumentException("a RAM block's name has 1 to 255 bytes, got '" + name + "'");
        }
        if (usedLength <= 0 || usedLength % Pages.SIZE != 0) {
            throw new IllegalArgumentException("RAM block '" + name + "' has a length of " + usedLength
                    + " bytes, which is no positive multiple of " + Pages.SIZE);
        }
    }

    /** A block on ordinary pages. */
    public static BlockInfo of(String name, long usedLength) {
        return new BlockInfo(name, usedLength, Pages.SIZE);
    }

    /** Number of target pages in the block. */
    public long pages() {
        return usedLength >>> Pages.SHIFT;
    }
}
