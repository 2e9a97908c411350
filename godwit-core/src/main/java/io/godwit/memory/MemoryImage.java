// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.Pages;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Guest-physical memory as a file sees it: the blocks one after the other from address 0. */
final class MemoryImage {
    private static final int BUFFER = 1 << 20;

    private final GuestMemory memory;

    MemoryImage(GuestMemory memory) {
        this.memory = memory;
    }

    void write(Path file, long address, long size) throws IOException {
        long total = memory.blocks().totalPages() << Pages.SHIFT;
        if (address < 0 || size <= 0 || address > total - size) {
            throw new IllegalArgumentException("cannot save " + size + " bytes from address " + address
                    + ": guest memory begins at 0 and has " + total + " bytes (" + ByteSizes.show(total) + ")");
        }
        forEachPart(address, size, this::requirePresent);
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            // Through a buffer of our own: guest RAM is not to be handed to a channel (see the package's rule on raw
            // memory).
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
            forEachPart(address, size, (block, offset, length) -> {
                for (long at = offset; at < offset + length; ) {
                    int part = (int) Math.min(offset + length - at, Pages.SIZE - (at & (Pages.SIZE - 1)));
                    if (buffer.remaining() < part) {
                        flush(buffer, out);
                    }
                    memory.block(block).windows().read(at, buffer, part);
                    at += part;
                }
            });
            flush(buffer, out);
        }
    }

    private interface Part {
        void accept(int block, long offset, long length) throws IOException;
    }

    private void forEachPart(long address, long size, Part part) throws IOException {
        long base = 0;
        for (int i = 0; i < memory.blocks().size(); i++) {
            long length = memory.blocks().get(i).usedLength();
            long from = Math.max(address, base);
            long to = Math.min(address + size, base + length);
            if (from < to) {
                part.accept(i, from - base, to - from);
            }
            base += length;
        }
    }

    private void requirePresent(int block, long offset, long length) {
        if (!memory.isPostcopy()) {
            return;
        }
        long missing = memory.block(block).received().nextClear(offset >>> Pages.SHIFT);
        if (missing >= 0 && missing << Pages.SHIFT < offset + length) {
            throw new IllegalStateException("cannot save guest memory: page " + missing + " of '"
                    + memory.block(block).name() + "' has not arrived yet; try again when the migration has completed");
        }
    }

    private static void flush(ByteBuffer buffer, FileChannel out) throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            out.write(buffer);
        }
        buffer.clear();
    }
}
