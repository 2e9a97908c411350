// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.Map;

/**
 * What the main channel's meaning depends on and the stream does not say: the receiver's own settings ({@code spec/stream.md §7.1, §8}).
 *
 * @param postcopyRam capability postcopy-ram is on here: blocks of {@code hugeBlocks} carry their page size
 * @param ignoreShared capability x-ignore-shared is on here: each block carries its guest-physical address
 * @param multifd MULTIFD_FLUSH words are decoded; otherwise they are refused by name
 * @param vmDescription a precopy stream ends with a vmdesc (off only for a source with suppress-vmdesc=on)
 * @param hugeBlocks host page size in bytes of the blocks that are on huge pages here, by name
 */
public record DecoderOptions(
        boolean postcopyRam,
        boolean ignoreShared,
        boolean multifd,
        boolean vmDescription,
        Map<String, Long> hugeBlocks) {
    /** Nothing but plain pages, and a vmdesc. */
    public static final DecoderOptions PLAIN = new DecoderOptions(false, false, false, true, Map.of());

    public DecoderOptions {
        hugeBlocks = Map.copyOf(hugeBlocks);
    }

    public DecoderOptions withPostcopyRam(boolean on) {
        return new DecoderOptions(on, ignoreShared, multifd, vmDescription, hugeBlocks);
    }

    public DecoderOptions withIgnoreShared(boolean on) {
        return new DecoderOptions(postcopyRam, on, multifd, vmDescription, hugeBlocks);
    }

    public DecoderOptions withMultifd(boolean on) {
        return new DecoderOptions(postcopyRam, ignoreShared, on, vmDescription, hugeBlocks);
    }

    public DecoderOptions withVmDescription(boolean on) {
        return new DecoderOptions(postcopyRam, ignoreShared, multifd, on, hugeBlocks);
    }

    public DecoderOptions withHugeBlocks(Map<String, Long> blocks) {
        return new DecoderOptions(postcopyRam, ignoreShared, multifd, vmDescription, blocks);
    }
}
