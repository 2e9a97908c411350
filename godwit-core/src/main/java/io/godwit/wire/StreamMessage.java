// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One element of the main channel, in the order of {@code spec/stream.md §2, §4, §7}. A stream is {@link Header}, {@link Configuration}, then
 * commands and sections, {@link EndOfStream} and in precopy {@link VmDescription}. A section of "ram" is {@link SectionStart}, {@link
 * SectionPart} or {@link SectionEnd}, then {@link MemSize} or {@link PageRecord}s and {@link EncodedPage}s, {@link EndOfRecords}, {@link Footer}.
 *
 * <p>All but {@link PageRecord} and {@link EncodedPage} are values that may be kept. Byte arrays in them are not copied and not to be changed.
 */
public sealed interface StreamMessage
        permits StreamMessage.Header,
                StreamMessage.Configuration,
                StreamMessage.SectionStart,
                StreamMessage.SectionPart,
                StreamMessage.SectionEnd,
                StreamMessage.Footer,
                StreamMessage.MemSize,
                StreamMessage.EndOfRecords,
                StreamMessage.MultifdFlush,
                StreamMessage.DeviceState,
                StreamMessage.EndOfStream,
                StreamMessage.VmDescription,
                StreamMessage.Command,
                PageRecord,
                EncodedPage {

    /** {@code "QEVM", u32 3}: the first 8 bytes of a migration, §2. Never on a recovery connection. */
    record Header() implements StreamMessage {}

    /**
     * {@code 07, u32 length, machine name, subsections}, §3.
     *
     * @param machine machine type as resolved, 1 to {@link #MAX_MACHINE_BYTES} bytes
     * @param targetPageBits only of machines whose page size varies
     * @param capabilities the validated capabilities that are on at the source; the subsection is there only if any is
     * @param uuid only with capability validate-uuid
     */
    record Configuration(
            String machine,
            OptionalInt targetPageBits,
            List<String> capabilities,
            @Nullable UUID uuid) implements StreamMessage {
        /** Longest machine name that is accepted, bytes. */
        public static final int MAX_MACHINE_BYTES = 1024;
        /** Most capability names that are accepted. */
        public static final int MAX_CAPABILITIES = 32;

        public Configuration {
            capabilities = List.copyOf(capabilities);
        }

        /** A machine name and nothing else. */
        public static Configuration of(String machine) {
            return new Configuration(machine, OptionalInt.empty(), List.of(), null);
        }
    }

    /** {@code 01, u32 section id, str8 idstr, u32 instance, u32 version}, §4; only of "ram", version 4. */
    record SectionStart(int sectionId, String idstr, int instanceId, int versionId) implements StreamMessage {
        /** The START of "ram". */
        public static SectionStart ram(int sectionId) {
            return new SectionStart(sectionId, WireFormat.RAM, 0, WireFormat.RAM_VERSION);
        }
    }

    /** {@code 02, u32 section id}, §4. */
    record SectionPart(int sectionId) implements StreamMessage {}

    /** {@code 03, u32 section id}, §4; once, the last section of "ram". */
    record SectionEnd(int sectionId) implements StreamMessage {}

    /** {@code 7e, u32 section id}, §4; the decoder has compared the id. */
    record Footer(int sectionId) implements StreamMessage {}

    /**
     * {@code u64 total|0x004}, then per block {@code str8 name, u64 length[, u64 page size][, u64 address]}, §7.1. The page size is written for
     * blocks whose page size is not 4096; the address where it is there. In a mapped-ram file the entries stand apart, each with its {@link
     * MappedArea}: such a list is written by {@link MappedRamWriter} only.
     *
     * @param blocks in the source's order, which is the order of the recovery's bitmap requests too
     */
    record MemSize(List<Block> blocks) implements StreamMessage {
        public MemSize {
            blocks = List.copyOf(blocks);
        }

        /** Blocks without addresses. */
        public static MemSize of(List<BlockInfo> blocks) {
            return new MemSize(
                    blocks.stream().map(b -> new Block(b, OptionalLong.empty())).toList());
        }

        /** The blocks without their addresses. */
        public List<BlockInfo> infos() {
            return blocks.stream().map(Block::info).toList();
        }

        /** Sum of the lengths in bytes. */
        public long total() {
            return blocks.stream().mapToLong(b -> b.info().usedLength()).sum();
        }

        /**
         * One entry of the list.
         *
         * @param address guest-physical address, there only with capability x-ignore-shared
         * @param area where its pages are in the file, there only with capability mapped-ram
         */
        public record Block(BlockInfo info, OptionalLong address, Optional<MappedArea> area) {
            /** One whose pages travel in records. */
            public Block(BlockInfo info, OptionalLong address) {
                this(info, address, Optional.empty());
            }
        }
    }

    /** {@code u64 0x010}: the last record of a section's body, §7. */
    record EndOfRecords() implements StreamMessage {}

    /** {@code u64 0x200}: a sync point of the multifd channels, §7.4, see {@link MultifdSyncPoints}; only with {@link DecoderOptions#multifd}. */
    record MultifdFlush() implements StreamMessage {}

    /**
     * Device sections as they stand in the stream, headers and footers included, §4.2: before the START of "ram" one section each, after its
     * END all of them in one run up to the EOF byte. {@link DeviceSections} finds the borders.
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by content below
    record DeviceState(byte[] verbatim) implements StreamMessage {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof DeviceState that && Arrays.equals(that.verbatim, verbatim);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(verbatim);
        }

        @Override
        public String toString() {
            return "DeviceState[" + verbatim.length + " bytes]";
        }
    }

    /** {@code 00}: end of the migration proper, §2. */
    record EndOfStream() implements StreamMessage {}

    /** {@code 06, u32 length, JSON}, §8; only in precopy. */
    @SuppressWarnings("ArrayRecordComponent") // compared by content below
    record VmDescription(byte[] json) implements StreamMessage {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof VmDescription that && Arrays.equals(that.json, json);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(json);
        }

        @Override
        public String toString() {
            return "VmDescription[" + json.length + " bytes]";
        }
    }

    /** {@code 08, u16 command, u16 length, payload}, §6. */
    sealed interface Command extends StreamMessage {}

    /** Command 1, no payload, §6.1. */
    record OpenReturnPath() implements Command {}

    /** Command 2, {@code u32 value}, §6.1. */
    record Ping(int value) implements Command {}

    /**
     * Command 3, {@code u64, u64}, §6.2.
     *
     * @param pageSizes bitwise OR of the host page sizes of all RAM blocks
     * @param targetPageSize 4096
     */
    record PostcopyAdvise(long pageSizes, long targetPageSize) implements Command {}

    /** Command 3 without payload: postcopy of dirty bitmaps only, §6.2. */
    record PostcopyAdviseNoRam() implements Command {}

    /** Command 4, no payload; stands inside the PACKAGED blob, §6.4. */
    record PostcopyListen() implements Command {}

    /** Command 5, no payload; stands inside the PACKAGED blob, §6.4. */
    record PostcopyRun() implements Command {}

    /** Command 6, §6.3: drop these ranges of the block. The decoder has checked block, alignment and bounds. */
    record RamDiscard(String block, List<Range> ranges) implements Command {
        /** Most ranges that a sender puts into one command. */
        public static final int MAX_RANGES_SENT = 12;

        public RamDiscard {
            ranges = List.copyOf(ranges);
        }
    }

    /**
     * A run of bytes in a block.
     *
     * @param start offset in the block, a multiple of the page size
     * @param length bytes, a positive multiple of the page size
     */
    record Range(long start, long length) {}

    /** Command 7, {@code u32 length}, then the blob outside the command's own length, §6.4: see {@link PackagedBlob}. */
    @SuppressWarnings("ArrayRecordComponent") // compared by content below
    record Packaged(byte[] blob) implements Command {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Packaged that && Arrays.equals(that.blob, blob);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(blob);
        }

        @Override
        public String toString() {
            return "Packaged[" + blob.length + " bytes]";
        }
    }

    /** Command 8, no payload. */
    record EnableColo() implements Command {}

    /** Command 9, no payload; only on a recovery connection, §6.5. */
    record PostcopyResume() implements Command {}

    /** Command 10, {@code str8 block}; only on a recovery connection, §6.5. */
    record RecvBitmap(String block) implements Command {}

    /** Command 11, no payload; only to QEMU 10.0 and newer, §6. */
    record SwitchoverStart() implements Command {}
}
