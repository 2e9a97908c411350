// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PageRecord;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.UnsupportedOnWireException;
import io.godwit.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A stream that QEMU wrote into a file ({@code migrate file:}, {@code exec:cat}) or {@link StreamExport} made, into the store. */
public final class StreamImport {
    private static final int BUFFER = 1 << 20;

    private final Imported vm;
    private final LongConsumer progress;
    private final StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    private @Nullable StoreSink sink;

    private StreamImport(VmStore store, LongConsumer progress) {
        this.vm = new Imported(store, List.of());
        this.progress = progress;
    }

    /**
     * Reads the whole stream and parks the VM; the channel stays open. After a failure the store is in {@code Receiving}, as after any precopy that failed.
     *
     * @param confirmed whether it is certain that the VM does not go on at its source: a file does not say
     * @param progress is told the number of bytes read so far, about every MiB
     * @throws StoreException of kind {@code CORRUPT} if it is no whole stream, with the byte and the reason
     * @throws IOException what the channel says
     */
    public static void read(ReadableByteChannel from, VmStore store, boolean confirmed, LongConsumer progress)
            throws IOException {
        StreamImport reader = new StreamImport(store, progress);
        try {
            reader.all(from);
        } catch (WireException e) {
            throw Imported.corrupt(e);
        }
        reader.vm.park(confirmed);
    }

    /**
     * As {@link #read}, from the file's position on, of a file with mapped-ram, too: what it is, its first bytes say.
     *
     * @param file can be read at any position, so it is no pipe
     */
    public static void readFile(FileChannel file, VmStore store, boolean confirmed, LongConsumer progress)
            throws IOException {
        long start = file.position();
        StreamImport reader = new StreamImport(store, progress);
        try {
            reader.all(file);
        } catch (UnsupportedOnWireException e) {
            if (e.feature() != UnsupportedOnWireException.Feature.MAPPED_RAM) {
                throw Imported.corrupt(e);
            }
            MappedImport.read((at, into) -> file.read(into, at), start, store, confirmed, progress);
            return;
        } catch (WireException e) {
            throw Imported.corrupt(e);
        }
        reader.vm.park(confirmed);
    }

    private void all(ReadableByteChannel from) throws IOException, WireException {
        in.limit(0);
        while (true) {
            StreamMessage message = decoder.next(in);
            if (message != null) {
                take(message);
                continue;
            }
            if (decoder.ended()) {
                return;
            }
            in.compact();
            int n = from.read(in);
            in.flip();
            progress.accept(decoder.offset());
            if (n < 0 && decoder.mayEnd(true)) {
                decoder.nothingFollows();
            } else if (n < 0) {
                throw new StoreException(
                        StoreException.Kind.CORRUPT,
                        "the stream ends at byte " + (decoder.offset() + in.remaining())
                                + ", before the VM is complete; save it once more");
            }
        }
    }

    private void take(StreamMessage message) {
        if (message instanceof PageRecord page) {
            StoreSink memory = Objects.requireNonNull(sink);
            if (page.zero()) {
                memory.storeZero(page.block(), page.page());
            } else {
                memory.store(page.block(), page.page(), in, page.dataPosition());
            }
        } else if (message instanceof StreamMessage.MemSize list) {
            sink = vm.receive(list.infos());
        } else {
            vm.take(message, decoder.offset());
        }
    }
}
