// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.wire.MappedRamWriter;
import io.godwit.wire.StreamMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.function.LongConsumer;

/**
 * A complete VM as a file with mapped-ram, {@code spec/mapped-ram.md}, that {@code qemu -incoming file:} loads where that capability is on: each page has a place of its own, so it
 * is read by several threads at once. Every page is compared with its digest on the way.
 */
public final class MappedExport {
    private static final int RUN = 256 * Pages.SIZE;

    private final StoreSource source;
    private final MappedRamWriter out;
    private final LongConsumer progress;
    private final ByteBuffer run = ByteBuffer.allocateDirect(RUN);
    private long pages;

    private MappedExport(StoreSource source, MappedRamWriter out, LongConsumer progress) {
        this.source = source;
        this.out = out;
        this.progress = progress;
    }

    /**
     * Writes the file from its first byte on; what is zero is not written, so it is to be an empty file.
     *
     * @param progress is told the number of pages done so far, about every MiB of them
     * @throws IOException what the file says
     */
    public static void write(
            Manifest manifest,
            StoredDevices devices,
            StoreSource source,
            MappedRamWriter.Target file,
            LongConsumer progress)
            throws IOException {
        MappedRamWriter out = new MappedRamWriter(file, 0);
        BlockTable table = source.blocks();
        int ram = manifest.arrival().ramSectionId();
        out.write(new StreamMessage.Header());
        out.write(new StreamMessage.Configuration(
                manifest.arrival().machine(), OptionalInt.empty(), MappedImport.CAPABILITIES, null));
        if (devices.early().length > 0) {
            out.write(new StreamMessage.DeviceState(devices.early()));
        }
        out.write(StreamMessage.SectionStart.ram(ram));
        out.blocks(StreamMessage.MemSize.of(table.list()));
        out.write(new StreamMessage.EndOfRecords());
        out.write(new StreamMessage.Footer(ram));
        MappedExport export = new MappedExport(source, out, progress);
        for (int block = 0; block < table.size(); block++) {
            export.memory(block, table.get(block).pages());
        }
        out.write(new StreamMessage.SectionEnd(ram));
        out.write(new StreamMessage.EndOfRecords());
        out.write(new StreamMessage.Footer(ram));
        out.write(new StreamMessage.DeviceState(devices.late()));
        out.write(new StreamMessage.EndOfStream());
        out.write(new StreamMessage.VmDescription(devices.description()));
    }

    private void memory(int block, long count) throws IOException {
        long first = 0;
        for (long page = 0; page < count; page++) {
            if (source.isZero(block, page)) {
                flush(block, first);
            } else {
                if (run.position() == 0) {
                    first = page;
                }
                source.read(block, page, run);
                if (!run.hasRemaining()) {
                    flush(block, first);
                }
            }
            if (++pages % (RUN / Pages.SIZE) == 0) {
                progress.accept(pages);
            }
        }
        flush(block, first);
        progress.accept(pages);
    }

    private void flush(int block, long first) throws IOException {
        if (run.position() > 0) {
            out.pages(block, first, run.flip());
            run.clear();
        }
    }
}
