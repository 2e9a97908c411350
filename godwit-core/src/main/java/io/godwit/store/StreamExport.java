// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.wire.RecordEncoder;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.function.LongConsumer;

/** A complete VM as a precopy stream, {@code spec/stream.md §2}, that {@code qemu -incoming file:} loads. Every page is compared with its digest on the way. */
public final class StreamExport {
    private static final int CHUNK = 1 << 20;
    private static final int PAGES_PER_SECTION = 60;

    private final StoreSource source;
    private final BlockTable table;
    private final int ramId;
    private final WritableByteChannel out;
    private final LongConsumer progress;
    private final RecordEncoder records;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK + RecordEncoder.MAX_RECORD);
    private int inSection;
    private long pages;
    private long bytes;

    private StreamExport(StoreSource source, int ramId, WritableByteChannel out, LongConsumer progress) {
        this.source = source;
        this.table = source.blocks();
        this.ramId = ramId;
        this.out = out;
        this.progress = progress;
        this.records = new RecordEncoder(table);
    }

    /**
     * Writes the stream; the channel stays open.
     *
     * @param progress is told the number of pages written so far, about every MiB
     * @return bytes written
     * @throws IOException what the channel says
     */
    public static long write(
            Manifest manifest,
            StoredDevices devices,
            StoreSource source,
            WritableByteChannel out,
            LongConsumer progress)
            throws IOException {
        StreamExport export = new StreamExport(source, manifest.arrival().ramSectionId(), out, progress);
        export.begin(manifest.arrival().machine(), devices.early());
        export.memory();
        export.end(devices);
        return export.bytes;
    }

    private void begin(String machine, byte[] early) throws IOException {
        send(new StreamMessage.Header());
        send(StreamMessage.Configuration.of(machine));
        send(new StreamMessage.DeviceState(early));
        send(StreamMessage.SectionStart.ram(ramId));
        send(StreamMessage.MemSize.of(table.list()));
        endSection();
    }

    private void memory() throws IOException {
        for (int block = 0; block < table.size(); block++) {
            for (long page = 0; page < table.get(block).pages(); page++) {
                if (inSection == 0) {
                    send(new StreamMessage.SectionPart(ramId));
                }
                if (buffer.position() >= CHUNK) {
                    flush();
                }
                page(block, page);
                if (++inSection == PAGES_PER_SECTION) {
                    endSection();
                }
            }
        }
        if (inSection > 0) {
            endSection();
        }
    }

    private void page(int block, long page) {
        if (source.isZero(block, page)) {
            records.zero(buffer, block, page);
        } else {
            records.header(buffer, block, page);
            source.read(block, page, buffer);
        }
        pages++;
    }

    private void endSection() throws IOException {
        send(new StreamMessage.EndOfRecords());
        send(new StreamMessage.Footer(ramId));
        inSection = 0;
    }

    private void end(StoredDevices devices) throws IOException {
        send(new StreamMessage.SectionEnd(ramId));
        endSection();
        send(new StreamMessage.DeviceState(devices.late()));
        send(new StreamMessage.EndOfStream());
        send(new StreamMessage.VmDescription(devices.description()));
        flush();
    }

    private void send(StreamMessage message) throws IOException {
        int size = StreamEncoder.size(message);
        if (size > buffer.remaining()) {
            flush();
        }
        if (size <= buffer.remaining()) {
            StreamEncoder.write(message, buffer);
            return;
        }
        ByteBuffer large = ByteBuffer.wrap(StreamEncoder.bytes(message));
        write(large);
    }

    private void flush() throws IOException {
        write(buffer.flip());
        buffer.clear();
        progress.accept(pages);
    }

    private void write(ByteBuffer from) throws IOException {
        while (from.hasRemaining()) {
            bytes += out.write(from);
        }
    }
}
