// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.Command;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EnableColo;
import io.godwit.wire.StreamMessage.EndOfRecords;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.Footer;
import io.godwit.wire.StreamMessage.Header;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.MultifdFlush;
import io.godwit.wire.StreamMessage.OpenReturnPath;
import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.Ping;
import io.godwit.wire.StreamMessage.PostcopyAdvise;
import io.godwit.wire.StreamMessage.PostcopyAdviseNoRam;
import io.godwit.wire.StreamMessage.PostcopyListen;
import io.godwit.wire.StreamMessage.PostcopyResume;
import io.godwit.wire.StreamMessage.PostcopyRun;
import io.godwit.wire.StreamMessage.RamDiscard;
import io.godwit.wire.StreamMessage.Range;
import io.godwit.wire.StreamMessage.RecvBitmap;
import io.godwit.wire.StreamMessage.SectionEnd;
import io.godwit.wire.StreamMessage.SectionPart;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.StreamMessage.SwitchoverStart;
import io.godwit.wire.StreamMessage.VmDescription;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Writes messages of the main channel, the inverse of {@link StreamDecoder}. The buffers are big-endian. Pages of one's own memory go through
 * {@link RecordEncoder}; a {@link PageRecord} or {@link EncodedPage} that was just decoded is written as it was read.
 */
public final class StreamEncoder {
    private StreamEncoder() {}

    /** Bytes that {@link #write} will write. */
    public static int size(StreamMessage message) {
        return switch (message) {
            case Header _ -> 8;
            case Configuration configuration -> configurationSize(configuration);
            case SectionStart start -> 1 + 4 + WireFormat.str8Size(start.idstr()) + 4 + 4;
            case SectionPart _, SectionEnd _, Footer _ -> 5;
            case MemSize list -> memSizeSize(list);
            case EndOfRecords _, MultifdFlush _ -> 8;
            case DeviceState state -> state.verbatim().length;
            case EndOfStream _ -> 1;
            case VmDescription description -> 5 + description.json().length;
            case Packaged packaged -> WireFormat.COMMAND_HEADER + 4 + packaged.blob().length;
            case Command command -> WireFormat.COMMAND_HEADER + payloadSize(command);
            case PageRecord page -> page.size();
            case EncodedPage page -> page.size();
        };
    }

    /**
     * Appends the message to {@code out}, which has {@link #size} bytes of room.
     *
     * @throws IllegalArgumentException if a name is longer than the format's 255 bytes
     */
    public static void write(StreamMessage message, ByteBuffer out) {
        switch (message) {
            case Header _ -> out.putInt(WireFormat.MAGIC).putInt(WireFormat.VERSION);
            case Configuration configuration -> configuration(configuration, out);
            case SectionStart start -> {
                out.put((byte) WireFormat.START).putInt(start.sectionId());
                str8(start.idstr(), out);
                out.putInt(start.instanceId()).putInt(start.versionId());
            }
            case SectionPart part -> out.put((byte) WireFormat.PART).putInt(part.sectionId());
            case SectionEnd end -> out.put((byte) WireFormat.END).putInt(end.sectionId());
            case Footer footer -> out.put((byte) WireFormat.FOOTER).putInt(footer.sectionId());
            case MemSize list -> memSize(list, out);
            case EndOfRecords _ -> out.putLong(WireFormat.FLAG_EOS);
            case MultifdFlush _ -> out.putLong(WireFormat.FLAG_MULTIFD_FLUSH);
            case DeviceState state -> out.put(state.verbatim());
            case EndOfStream _ -> out.put((byte) WireFormat.EOF);
            case VmDescription description ->
                out.put((byte) WireFormat.VM_DESCRIPTION)
                        .putInt(description.json().length)
                        .put(description.json());
            case Command command -> command(command, out);
            case PageRecord page -> page.write(out);
            case EncodedPage page -> page.write(out);
        }
    }

    /** The message in an array of its own. */
    public static byte[] bytes(StreamMessage message) {
        ByteBuffer out = ByteBuffer.allocate(size(message));
        write(message, out);
        return out.array();
    }

    private static int configurationSize(Configuration configuration) {
        int size = 1 + 4 + configuration.machine().getBytes(StandardCharsets.UTF_8).length;
        if (configuration.targetPageBits().isPresent()) {
            size += subsectionSize(WireFormat.PAGE_BITS_SUBSECTION) + 4;
        }
        if (!configuration.capabilities().isEmpty()) {
            size += subsectionSize(WireFormat.CAPABILITIES_SUBSECTION) + 4;
            for (String name : configuration.capabilities()) {
                size += WireFormat.str8Size(name);
            }
        }
        return configuration.uuid() == null ? size : size + subsectionSize(WireFormat.UUID_SUBSECTION) + 16;
    }

    private static int subsectionSize(String name) {
        return 1 + WireFormat.str8Size(name) + 4;
    }

    private static void configuration(Configuration configuration, ByteBuffer out) {
        byte[] machine = configuration.machine().getBytes(StandardCharsets.UTF_8);
        out.put((byte) WireFormat.CONFIGURATION).putInt(machine.length).put(machine);
        if (configuration.targetPageBits().isPresent()) {
            subsection(WireFormat.PAGE_BITS_SUBSECTION, out);
            out.putInt(configuration.targetPageBits().getAsInt());
        }
        if (!configuration.capabilities().isEmpty()) {
            subsection(WireFormat.CAPABILITIES_SUBSECTION, out);
            out.putInt(configuration.capabilities().size());
            configuration.capabilities().forEach(name -> str8(name, out));
        }
        if (configuration.uuid() != null) {
            subsection(WireFormat.UUID_SUBSECTION, out);
            out.putLong(configuration.uuid().getMostSignificantBits())
                    .putLong(configuration.uuid().getLeastSignificantBits());
        }
    }

    private static void subsection(String name, ByteBuffer out) {
        out.put((byte) WireFormat.SUBSECTION);
        str8(name, out);
        out.putInt(1);
    }

    private static int memSizeSize(MemSize list) {
        int size = 8;
        for (MemSize.Block block : list.blocks()) {
            size += entrySize(block);
        }
        return size;
    }

    private static void memSize(MemSize list, ByteBuffer out) {
        if (list.blocks().stream().anyMatch(block -> block.area().isPresent())) {
            throw new IllegalArgumentException("the entries of a mapped-ram file stand apart: MappedRamWriter");
        }
        memSizeWord(list, out);
        list.blocks().forEach(block -> entry(block, out));
    }

    /** 8 bytes. */
    static void memSizeWord(MemSize list, ByteBuffer out) {
        out.putLong(list.total() | WireFormat.FLAG_MEM_SIZE);
    }

    /** Bytes of a block's entry without its area. */
    static int entrySize(MemSize.Block block) {
        return WireFormat.str8Size(block.info().name())
                + 8
                + (block.info().pageSize() == Pages.SIZE ? 0 : 8)
                + (block.address().isEmpty() ? 0 : 8);
    }

    static void entry(MemSize.Block block, ByteBuffer out) {
        BlockInfo info = block.info();
        str8(info.name(), out);
        out.putLong(info.usedLength());
        if (info.pageSize() != Pages.SIZE) {
            out.putLong(info.pageSize());
        }
        block.address().ifPresent(out::putLong);
    }

    /** Bytes that the command's own length counts. */
    private static int payloadSize(Command command) {
        return switch (command) {
            case Ping _, Packaged _ -> 4;
            case PostcopyAdvise _ -> 16;
            case RamDiscard discard ->
                2 + WireFormat.str8Size(discard.block()) + 16 * discard.ranges().size();
            case RecvBitmap request -> WireFormat.str8Size(request.block());
            case OpenReturnPath _, PostcopyAdviseNoRam _, PostcopyListen _, PostcopyRun _, EnableColo _ -> 0;
            case PostcopyResume _, SwitchoverStart _ -> 0;
        };
    }

    private static int code(Command command) {
        return switch (command) {
            case OpenReturnPath _ -> WireFormat.OPEN_RETURN_PATH;
            case Ping _ -> WireFormat.PING;
            case PostcopyAdvise _, PostcopyAdviseNoRam _ -> WireFormat.POSTCOPY_ADVISE;
            case PostcopyListen _ -> WireFormat.POSTCOPY_LISTEN;
            case PostcopyRun _ -> WireFormat.POSTCOPY_RUN;
            case RamDiscard _ -> WireFormat.POSTCOPY_RAM_DISCARD;
            case Packaged _ -> WireFormat.PACKAGED;
            case EnableColo _ -> WireFormat.ENABLE_COLO;
            case PostcopyResume _ -> WireFormat.POSTCOPY_RESUME;
            case RecvBitmap _ -> WireFormat.RECV_BITMAP;
            case SwitchoverStart _ -> WireFormat.SWITCHOVER_START;
        };
    }

    private static void command(Command command, ByteBuffer out) {
        int length = payloadSize(command);
        if (length > 0xffff) {
            throw new IllegalArgumentException(
                    "a command's payload has at most 65535 bytes, this one " + length + "; send it in several");
        }
        out.put((byte) WireFormat.COMMAND).putShort((short) code(command)).putShort((short) length);
        switch (command) {
            case Ping ping -> out.putInt(ping.value());
            case PostcopyAdvise advise -> out.putLong(advise.pageSizes()).putLong(advise.targetPageSize());
            case RamDiscard discard -> {
                out.put((byte) 0);
                str8(discard.block(), out);
                out.put((byte) 0);
                for (Range range : discard.ranges()) {
                    out.putLong(range.start()).putLong(range.length());
                }
            }
            case Packaged packaged -> out.putInt(packaged.blob().length).put(packaged.blob());
            case RecvBitmap request -> str8(request.block(), out);
            case OpenReturnPath _, PostcopyAdviseNoRam _, PostcopyListen _, PostcopyRun _ -> {}
            case EnableColo _, PostcopyResume _, SwitchoverStart _ -> {}
        }
    }

    static void str8(String text, ByteBuffer out) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > 255) {
            throw new IllegalArgumentException("a name on the wire has 1 to 255 bytes, got '" + text + "'");
        }
        out.put((byte) bytes.length).put(bytes);
    }
}
