// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.Command;
import io.godwit.wire.StreamMessage.EnableColo;
import io.godwit.wire.StreamMessage.OpenReturnPath;
import io.godwit.wire.StreamMessage.Ping;
import io.godwit.wire.StreamMessage.PostcopyAdvise;
import io.godwit.wire.StreamMessage.PostcopyAdviseNoRam;
import io.godwit.wire.StreamMessage.PostcopyListen;
import io.godwit.wire.StreamMessage.PostcopyResume;
import io.godwit.wire.StreamMessage.PostcopyRun;
import io.godwit.wire.StreamMessage.RamDiscard;
import io.godwit.wire.StreamMessage.Range;
import io.godwit.wire.StreamMessage.RecvBitmap;
import io.godwit.wire.StreamMessage.SwitchoverStart;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Commands, {@code spec/stream.md §6}: {@code 08, u16 command, u16 length, payload}. PACKAGED and RAM_DISCARD may be longer than an input buffer:
 * the decoder collects their bytes itself.
 */
final class CommandReader {
    private CommandReader() {}

    /** Whether the length is one that the command can have. The code is {@link #known}. */
    static boolean lengthFits(int code, int length) {
        return switch (code) {
            case WireFormat.PING, WireFormat.PACKAGED -> length == 4;
            case WireFormat.POSTCOPY_ADVISE -> length == 16 || length == 0;
            case WireFormat.POSTCOPY_RAM_DISCARD -> length >= 4 + 16;
            case WireFormat.RECV_BITMAP -> length >= 2 && length <= 256;
            default -> length == 0;
        };
    }

    static boolean known(int code) {
        return code >= WireFormat.OPEN_RETURN_PATH && code <= WireFormat.SWITCHOVER_START;
    }

    /** Reads type, code and length and checks them; the code, or -1 if they are not there whole. */
    static int readHeader(Reader reader) throws WireException {
        if (!reader.has(WireFormat.COMMAND_HEADER)) {
            return -1;
        }
        reader.skip(1);
        int code = reader.u16();
        if (!known(code)) {
            throw reader.errorBefore(2, "unknown command " + code);
        }
        int length = reader.u16();
        if (!lengthFits(code, length)) {
            throw reader.errorBefore(2, "command " + code + " with a payload of " + length + " bytes");
        }
        return code;
    }

    /** The command whose payload of {@code length} bytes is next; all but PACKAGED and RAM_DISCARD. Null if it is not there whole. */
    static @Nullable Command read(Reader reader, int code, int length, @Nullable BlockTable blocks)
            throws WireException {
        if (!reader.has(length)) {
            return null;
        }
        return switch (code) {
            case WireFormat.OPEN_RETURN_PATH -> new OpenReturnPath();
            case WireFormat.PING -> new Ping(reader.i32());
            case WireFormat.POSTCOPY_ADVISE ->
                length == 0 ? new PostcopyAdviseNoRam() : new PostcopyAdvise(reader.i64(), reader.i64());
            case WireFormat.POSTCOPY_LISTEN -> new PostcopyListen();
            case WireFormat.POSTCOPY_RUN -> new PostcopyRun();
            case WireFormat.ENABLE_COLO -> new EnableColo();
            case WireFormat.POSTCOPY_RESUME -> new PostcopyResume();
            case WireFormat.RECV_BITMAP -> recvBitmap(reader, length, blocks);
            case WireFormat.SWITCHOVER_START -> new SwitchoverStart();
            default -> throw new IllegalStateException("command " + code + " is collected by the decoder");
        };
    }

    private static RecvBitmap recvBitmap(Reader reader, int length, @Nullable BlockTable blocks) throws WireException {
        if (reader.peek(0) != length - 1) {
            throw reader.error("RECV_BITMAP's block name has " + reader.peek(0) + " bytes in a payload of " + length);
        }
        String name = reader.str8("a RAM block's name");
        knownBlock(reader, name, blocks);
        return new RecvBitmap(name);
    }

    /** The payload of POSTCOPY_RAM_DISCARD, §6.3: {@code u8 version 0, str8 block, u8 0}, then pairs of {@code u64 start, u64 length}. */
    static RamDiscard discard(Reader reader, int length, @Nullable BlockTable blocks) throws WireException {
        int version = reader.u8();
        if (version != 0) {
            throw reader.errorBefore(1, "POSTCOPY_RAM_DISCARD of version " + version + ", not 0");
        }
        int n = reader.peek(0);
        int rest = length - 3 - n;
        if (rest < 16 || rest % 16 != 0) {
            throw reader.error("POSTCOPY_RAM_DISCARD of " + length + " bytes with a name of " + n
                    + " leaves no whole number of ranges");
        }
        String name = reader.str8("a RAM block's name");
        BlockTable table = knownBlock(reader, name, blocks);
        if (reader.u8() != 0) {
            throw reader.errorBefore(1, "POSTCOPY_RAM_DISCARD's block name does not end with a 0 byte");
        }
        long end = table.get(table.indexOf(name)).usedLength();
        List<Range> ranges = new ArrayList<>(rest / 16);
        for (int i = 0; i < rest / 16; i++) {
            long start = reader.i64();
            long bytes = reader.i64();
            boolean aligned = (start | bytes) % Pages.SIZE == 0;
            if (!aligned || start < 0 || bytes <= 0 || start > end || bytes > end - start) {
                throw reader.errorBefore(
                        16,
                        "range 0x" + Long.toHexString(start) + "+0x" + Long.toHexString(bytes)
                                + " to discard in block '" + name + "' is not of whole pages inside its " + end
                                + " bytes");
            }
            ranges.add(new Range(start, bytes));
        }
        return new RamDiscard(name, ranges);
    }

    /** The table, which knows the block whose name was just read. */
    private static BlockTable knownBlock(Reader reader, String name, @Nullable BlockTable blocks) throws WireException {
        int back = WireFormat.str8Size(name) - 1;
        if (blocks == null) {
            throw reader.errorBefore(back, "RAM block '" + name + "' is named before the block list");
        }
        if (blocks.indexOf(name) < 0) {
            throw reader.errorBefore(back, "no RAM block is named '" + name + "'");
        }
        return blocks;
    }
}
