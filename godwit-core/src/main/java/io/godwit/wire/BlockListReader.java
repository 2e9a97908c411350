// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.MemSize;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The MEM_SIZE block list, {@code spec/stream.md §7.1}, entry by entry: blocks follow until their lengths add up to the total. */
final class BlockListReader {
    private final Reader reader;
    private final StreamLimits limits;
    private final DecoderOptions options;
    private final long total;
    private final List<MemSize.Block> blocks = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private long sum;

    /** Reads the word, which must be there whole, and commits it. */
    BlockListReader(Reader reader, StreamLimits limits, DecoderOptions options) throws WireException {
        this.reader = reader;
        this.limits = limits;
        this.options = options;
        long word = reader.i64();
        if (((int) word & WireFormat.FLAGS) != WireFormat.FLAG_MEM_SIZE) {
            throw reader.errorBefore(
                    8,
                    "the START of ram begins with a record of flags 0x"
                            + Integer.toHexString((int) word & WireFormat.FLAGS) + " instead of its block list");
        }
        this.total = word & ~(long) WireFormat.FLAGS;
        if (total <= 0 || total > limits.maxRamBytes()) {
            throw reader.errorBefore(
                    8,
                    Long.toUnsignedString(total) + " bytes of RAM; 1 page to " + limits.maxRamBytes()
                            + " bytes are taken");
        }
        reader.commit();
    }

    /** Takes the next entries; the list once it is complete, else null. */
    @Nullable
    MemSize read() throws WireException {
        while (sum < total) {
            if (!entry()) {
                return null;
            }
        }
        return new MemSize(blocks);
    }

    private boolean entry() throws WireException {
        if (!reader.hasStr8()) {
            return false;
        }
        if (blocks.size() == limits.maxBlocks()) {
            throw reader.error("more than " + limits.maxBlocks() + " RAM blocks");
        }
        int start = reader.at();
        String name = reader.str8("a RAM block's name");
        Long huge = options.postcopyRam() ? options.hugeBlocks().get(name) : null;
        if (!reader.has(8 + (huge != null ? 8 : 0) + (options.ignoreShared() ? 8 : 0))) {
            return false;
        }
        if (!names.add(name)) {
            throw reader.errorBefore(reader.at() - start, "two RAM blocks are named '" + name + "'");
        }
        long length = reader.i64();
        if (length <= 0 || length % Pages.SIZE != 0 || length > total - sum) {
            throw reader.errorBefore(
                    8,
                    "RAM block '" + name + "' has " + Long.toUnsignedString(length)
                            + " bytes, where a positive multiple of " + Pages.SIZE + " of at most " + (total - sum)
                            + " is due");
        }
        long pageSize = huge == null ? Pages.SIZE : pageSize(name, huge);
        OptionalLong address = options.ignoreShared() ? OptionalLong.of(reader.i64()) : OptionalLong.empty();
        blocks.add(new MemSize.Block(new BlockInfo(name, length, pageSize), address));
        sum += length;
        reader.commit();
        return true;
    }

    private long pageSize(String name, long expected) throws WireException {
        long pageSize = reader.i64();
        if (pageSize != expected) {
            throw reader.errorBefore(
                    8,
                    "RAM block '" + name + "' is on pages of " + Long.toUnsignedString(pageSize)
                            + " bytes at the source and of " + expected + " here");
        }
        return pageSize;
    }
}
