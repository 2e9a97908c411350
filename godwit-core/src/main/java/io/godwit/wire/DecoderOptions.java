// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.Map;
import java.util.OptionalLong;

/**
 * What the main channel's meaning depends on and the stream does not say: the receiver's own settings ({@code spec/stream.md §7.1, §8}).
 *
 * @param postcopyRam capability postcopy-ram is on here: blocks of {@code hugeBlocks} carry their page size
 * @param ignoreShared capability x-ignore-shared is on here: each block carries its guest-physical address
 * @param multifd MULTIFD_FLUSH words are decoded; otherwise they are refused by name. They end a sync point; old sources have no such word, see {@link
 *     MultifdSyncPoints}
 * @param hugeBlocks host page size in bytes of the blocks that are on huge pages here, by name
 * @param xbzrle XBZRLE records are decoded; otherwise they are refused by name
 * @param compress COMPRESS_PAGE records are decoded; otherwise they are refused by name
 * @param mappedRam capability mapped-ram is on here: position in the file at which the stream begins, in bytes; each block carries its places in
 *     the file, and no page travels in a record
 */
public record DecoderOptions(
        boolean postcopyRam,
        boolean ignoreShared,
        boolean multifd,
        Map<String, Long> hugeBlocks,
        boolean xbzrle,
        boolean compress,
        OptionalLong mappedRam) {
    /** Nothing but plain pages. */
    public static final DecoderOptions PLAIN = new DecoderOptions(false, false, false, Map.of());

    public DecoderOptions {
        hugeBlocks = Map.copyOf(hugeBlocks);
        if (mappedRam.isPresent() && mappedRam.getAsLong() < 0) {
            throw new IllegalArgumentException("a stream begins at position " + mappedRam.getAsLong());
        }
    }

    /** Plain pages in records. */
    public DecoderOptions(boolean postcopyRam, boolean ignoreShared, boolean multifd, Map<String, Long> hugeBlocks) {
        this(postcopyRam, ignoreShared, multifd, hugeBlocks, false, false, OptionalLong.empty());
    }

    public DecoderOptions withPostcopyRam(boolean on) {
        return new DecoderOptions(on, ignoreShared, multifd, hugeBlocks, xbzrle, compress, mappedRam);
    }

    public DecoderOptions withIgnoreShared(boolean on) {
        return new DecoderOptions(postcopyRam, on, multifd, hugeBlocks, xbzrle, compress, mappedRam);
    }

    public DecoderOptions withMultifd(boolean on) {
        return new DecoderOptions(postcopyRam, ignoreShared, on, hugeBlocks, xbzrle, compress, mappedRam);
    }

    public DecoderOptions withHugeBlocks(Map<String, Long> blocks) {
        return new DecoderOptions(postcopyRam, ignoreShared, multifd, blocks, xbzrle, compress, mappedRam);
    }

    public DecoderOptions withXbzrle(boolean on) {
        return new DecoderOptions(postcopyRam, ignoreShared, multifd, hugeBlocks, on, compress, mappedRam);
    }

    public DecoderOptions withCompress(boolean on) {
        return new DecoderOptions(postcopyRam, ignoreShared, multifd, hugeBlocks, xbzrle, on, mappedRam);
    }

    /** @param start position in the file at which the stream begins, bytes */
    public DecoderOptions withMappedRam(long start) {
        return new DecoderOptions(
                postcopyRam, ignoreShared, multifd, hugeBlocks, xbzrle, compress, OptionalLong.of(start));
    }
}
