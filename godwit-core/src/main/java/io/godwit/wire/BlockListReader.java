// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.MemSize;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The MEM_SIZE block list, {@code spec/stream.md §7.1}, entry by entry: blocks follow until their lengths add up to the total. In a mapped-ram file each entry is
 * followed by where its pages are, and after a gap in which they are by the next entry ({@code spec/mapped-ram.md §2}).
 */
final class BlockListReader {
    private final Reader reader;
    private final StreamLimits limits;
    private final DecoderOptions options;
    private final long total;
    private final List<MemSize.Block> blocks = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private long sum;
    private long gap;

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
        while (sum < total || gap > 0) {
            if (gap > 0 ? !passGap() : !entry()) {
                return null;
            }
        }
        return new MemSize(blocks);
    }

    /** Bytes up to where the stream goes on. */
    long gap() {
        return gap;
    }

    /** The gap is passed without its bytes; returns what it was. */
    long jumpGap() {
        long jumped = gap;
        gap = 0;
        return jumped;
    }

    private boolean passGap() {
        int n = (int) Math.min(gap, reader.available());
        reader.skip(n);
        reader.commit();
        gap -= n;
        reader.setMissing((int) Math.min(gap, Integer.MAX_VALUE));
        return gap == 0;
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
        if (!reader.has(8
                + (huge != null ? 8 : 0)
                + (options.ignoreShared() ? 8 : 0)
                + (options.mappedRam().isPresent() ? MappedArea.HEADER : 0))) {
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
        Optional<MappedArea> area =
                options.mappedRam().isPresent() ? Optional.of(area(name, length)) : Optional.empty();
        blocks.add(new MemSize.Block(new BlockInfo(name, length, pageSize), address, area));
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

    /** The header, layout at {@link MappedArea}; the stream goes on behind the pages. */
    private MappedArea area(String name, long length) throws WireException {
        String block = "RAM block '" + name + "': ";
        int version = reader.i32();
        if (version < 0 || version > MappedArea.VERSION) {
            throw reader.errorBefore(
                    4,
                    block + "a mapped-ram header of version " + Integer.toUnsignedString(version) + "; "
                            + MappedArea.VERSION + " is the newest known");
        }
        long pageSize = reader.i64();
        if (pageSize != Pages.SIZE) {
            throw reader.errorBefore(
                    8,
                    block + "pages of " + Long.toUnsignedString(pageSize) + " bytes in the file; only " + Pages.SIZE
                            + " is handled");
        }
        MappedArea area = new MappedArea(reader.i64(), reader.i64());
        long end = options.mappedRam().getAsLong() + reader.offset();
        if (area.bitmap() < end || area.bitmap() > MappedArea.MOST) {
            throw reader.errorBefore(
                    16,
                    block + "its bitmap at position " + Long.toUnsignedString(area.bitmap())
                            + ", which is not behind its header");
        }
        long bitmapEnd = area.bitmap() + MappedArea.bitmapBytes(length >>> Pages.SHIFT);
        if (area.pages() < bitmapEnd || area.pages() > MappedArea.MOST || area.pages() % Pages.SIZE != 0) {
            throw reader.errorBefore(
                    8,
                    block + "its pages at position " + Long.toUnsignedString(area.pages())
                            + ", which is no multiple of " + Pages.SIZE + " behind its bitmap");
        }
        gap = area.pages() + length - end;
        return area;
    }
}
