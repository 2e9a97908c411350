// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** A block's memory as a flat file: page p at p * 4096, zero pages as holes. Every page is compared with its digest on the way. */
public final class RawExport {
    private static final int RUN_BYTES = 1 << 20;

    private final StoreSource source;
    private final int block;
    private final DiskFile file;
    private final ByteBuffer run = ByteBuffer.allocateDirect(RUN_BYTES);
    private long first;

    private RawExport(StoreSource source, int block, DiskFile file) {
        this.source = source;
        this.block = block;
        this.file = file;
    }

    /** The largest block: the main memory of every machine that was seen. */
    public static int mainBlock(BlockTable table) {
        int main = 0;
        for (int i = 1; i < table.size(); i++) {
            if (table.get(i).usedLength() > table.get(main).usedLength()) {
                main = i;
            }
        }
        return main;
    }

    /**
     * Writes the file, replacing one that is there; durable but for its name. After a failure part of it may be there.
     *
     * @param progress is told the number of pages written so far, about every MiB of data
     */
    public static void write(StoreSource source, int block, Disk disk, Path to, LongConsumer progress) {
        try (DiskFile file = disk.openForWriting(to)) {
            file.setSize(0);
            file.setSize(source.blocks().get(block).usedLength());
            new RawExport(source, block, file).run(progress);
            file.sync();
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    private void run(LongConsumer progress) throws DiskException {
        for (long page = source.nextData(block, 0); page >= 0; page = source.nextData(block, page + 1)) {
            long next = first + (run.position() >>> Pages.SHIFT);
            if (run.position() > 0 && (page != next || !run.hasRemaining())) {
                flush();
                progress.accept(page);
            }
            if (run.position() == 0) {
                first = page;
            }
            source.read(block, page, run);
        }
        flush();
        progress.accept(source.blocks().get(block).pages());
    }

    private void flush() throws DiskException {
        file.write(run.flip(), first << Pages.SHIFT);
        run.clear();
    }
}
