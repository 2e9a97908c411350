// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockInfo;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PageRecord;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A stream that QEMU wrote into a file ({@code migrate file:}, {@code exec:cat}) or {@link StreamExport} made, into the store. */
public final class StreamImport {
    private static final int BUFFER = 1 << 20;

    private final VmStore store;
    private final LongConsumer progress;
    private final StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    private final ByteArrayOutputStream early = new ByteArrayOutputStream();
    private final ByteArrayOutputStream late = new ByteArrayOutputStream();
    private byte @Nullable [] description;
    private String machine = "";
    private @Nullable UUID uuid;
    private @Nullable StoreSink sink;
    private boolean ramEnded;

    private StreamImport(VmStore store, LongConsumer progress) {
        this.store = store;
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
            throw new StoreException(
                    StoreException.Kind.CORRUPT, "the stream cannot be imported: " + e.getMessage(), e);
        }
        reader.park(confirmed);
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
            if (n < 0) {
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
        } else if (message instanceof StreamMessage.Configuration configuration) {
            configuration(configuration);
        } else if (message instanceof StreamMessage.MemSize list) {
            blocks(list.infos());
        } else if (message instanceof StreamMessage.SectionEnd) {
            ramEnded = true;
        } else if (message instanceof StreamMessage.DeviceState(byte[] verbatim)) {
            (ramEnded ? late : early).writeBytes(verbatim);
        } else if (message instanceof StreamMessage.VmDescription(byte[] json)) {
            description = json;
        } else if (!isStructure(message)) {
            throw new StoreException(
                    StoreException.Kind.CORRUPT,
                    "the stream cannot be imported: at byte " + decoder.offset() + " it has " + message
                            + ", which does not belong into a precopy that was saved to a file");
        }
    }

    private static boolean isStructure(StreamMessage message) {
        return message instanceof StreamMessage.Header
                || message instanceof StreamMessage.SectionStart
                || message instanceof StreamMessage.SectionPart
                || message instanceof StreamMessage.Footer
                || message instanceof StreamMessage.EndOfRecords
                || message instanceof StreamMessage.EndOfStream
                || message instanceof StreamMessage.SwitchoverStart;
    }

    private void configuration(StreamMessage.Configuration configuration) {
        if (!configuration.capabilities().isEmpty()) {
            throw new StoreException(
                    StoreException.Kind.CORRUPT,
                    "the stream cannot be imported: it was saved with capabilities " + configuration.capabilities()
                            + "; save it without them");
        }
        machine = configuration.machine();
        uuid = configuration.uuid();
    }

    private void blocks(List<BlockInfo> blocks) {
        StreamContext context = Objects.requireNonNull(decoder.context());
        sink = store.receive(new Arrival(machine, blocks, context.ramSectionId(), null, uuid, -1));
    }

    private void park(boolean confirmed) {
        store.park(new StoredDevices(early.toByteArray(), late.toByteArray(), description), confirmed);
    }
}
