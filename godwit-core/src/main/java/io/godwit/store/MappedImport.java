// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.MappedRamReader;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A file that QEMU wrote with capability mapped-ram ({@code spec/mapped-ram.md}), or {@link MappedExport} made, into the store. */
public final class MappedImport {
    /** The only capability whose files have this form. */
    static final List<String> CAPABILITIES = List.of("mapped-ram");

    private static final int PAGES_AT_ONCE = 256;

    private final MappedRamReader reader;
    private final LongConsumer progress;
    private final ByteBuffer run = ByteBuffer.allocateDirect(PAGES_AT_ONCE * Pages.SIZE);

    private MappedImport(MappedRamReader reader, LongConsumer progress) {
        this.reader = reader;
        this.progress = progress;
    }

    /**
     * Reads the whole file and parks the VM. The store knows nothing of it before the stream was read to its end; after a later failure it is in {@code Receiving}.
     *
     * @param start position in the file at which the stream begins, in bytes
     * @param confirmed whether it is certain that the VM does not go on at its source: a file does not say
     * @param progress is told up to which byte the file was read, about every MiB
     * @throws StoreException of kind {@code CORRUPT} if it is no whole file with mapped-ram, with the byte and the reason
     * @throws IOException what the file says
     */
    public static void read(
            MappedRamReader.Source file, long start, VmStore store, boolean confirmed, LongConsumer progress)
            throws IOException {
        MappedRamReader reader = new MappedRamReader(file, start, StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        Imported vm = new Imported(store, CAPABILITIES);
        try {
            MemSize list = null;
            for (StreamMessage message = reader.next(); message != null; message = reader.next()) {
                if (message instanceof MemSize blocks) {
                    list = blocks;
                } else {
                    vm.take(message, reader.position());
                }
            }
            new MappedImport(reader, progress).memory(list, vm);
        } catch (WireException e) {
            throw Imported.corrupt(e);
        }
        vm.park(confirmed);
    }

    private void memory(@Nullable MemSize list, Imported vm) throws IOException, WireException {
        if (list == null) {
            throw Imported.corrupt("it has no memory");
        }
        StoreSink sink = vm.receive(list.infos());
        for (int block = 0; block < list.blocks().size(); block++) {
            PageBitmap stored = reader.bitmap(block);
            for (long page = 0; page < stored.pages(); ) {
                page = stored.get(page) ? data(block, page, stored, sink) : zeroes(block, page, stored, sink);
                progress.accept(list.blocks().get(block).area().orElseThrow().position(page));
            }
        }
    }

    private long data(int block, long first, PageBitmap stored, StoreSink sink) throws IOException, WireException {
        long end = Math.min(end(stored.nextClear(first), stored), first + PAGES_AT_ONCE);
        run.clear().limit((int) (end - first) * Pages.SIZE);
        reader.pages(block, first, run);
        for (long page = first; page < end; page++) {
            sink.store(block, page, run, (int) (page - first) * Pages.SIZE);
        }
        return end;
    }

    private static long zeroes(int block, long first, PageBitmap stored, StoreSink sink) {
        long end = end(stored.nextSet(first), stored);
        for (long page = first; page < end; page++) {
            sink.storeZero(block, page);
        }
        return end;
    }

    private static long end(long found, PageBitmap stored) {
        return found < 0 ? stored.pages() : found;
    }
}
