// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** The guest of the seeds, which come from captures of it, and what stands in its pages. */
final class Guest {
    /** Its blocks, in QEMU's order. */
    static final BlockTable BLOCKS = new BlockTable(List.of(
            BlockInfo.of("pc.ram", 16 << 20),
            BlockInfo.of("/rom@etc/acpi/tables", 128 << 10),
            BlockInfo.of("pc.bios", 256 << 10),
            BlockInfo.of("pc.rom", 128 << 10),
            BlockInfo.of("/rom@etc/table-loader", 4 << 10),
            BlockInfo.of("/rom@etc/acpi/rsdp", 4 << 10)));

    static final int RAM_ID = 1;

    private Guest() {}

    /** A message with what its page holds, decoded where it is encoded. */
    static String text(StreamMessage message) throws WireException {
        return switch (message) {
            case PageRecord page -> page + " " + Arrays.hashCode(StreamEncoder.bytes(page));
            case EncodedPage page -> page + " " + decoded(page);
            case StreamMessage.Packaged packaged -> packaged.toString() + blob(packaged);
            case StreamMessage.DeviceState state -> state.toString() + state.hashCode();
            case StreamMessage.VmDescription description -> description.toString() + description.hashCode();
            default -> message.toString();
        };
    }

    /** Nobody looks at a page's place again after the decoder. */
    static void requireInside(int block, long page) {
        if (page < 0 || page >= BLOCKS.get(block).pages()) {
            throw new AssertionError("page " + page + " of " + BLOCKS.get(block));
        }
    }

    static int hash(ByteBuffer in, int position) {
        return in.slice(position, Pages.SIZE).hashCode();
    }

    private static String decoded(EncodedPage page) throws WireException {
        ByteBuffer content = ByteBuffer.allocate(Pages.SIZE);
        if (page.encoding() == EncodedPage.Encoding.XBZRLE) {
            Xbzrle.apply(page, content, 0);
        } else {
            try (PageInflater inflater = new PageInflater()) {
                inflater.inflate(page, content);
            }
        }
        return Integer.toHexString(content.clear().hashCode());
    }

    /** What the blob holds, or why it is none; the offset in the channel is not its own to know. */
    private static String blob(StreamMessage.Packaged packaged) {
        try {
            PackagedBlob blob = PackagedBlob.parse(packaged, 0);
            if (!blob.encode().equals(packaged)) {
                throw new AssertionError(blob + " is written in another way");
            }
            return blob.toString();
        } catch (WireException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
