// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockInfo;
import io.godwit.wire.StreamMessage;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A VM that comes out of a file, as far as it has come: everything but its pages, wherever those are. One thread. */
final class Imported {
    private final VmStore store;
    private final List<String> capabilities;
    private final ByteArrayOutputStream early = new ByteArrayOutputStream();
    private final ByteArrayOutputStream late = new ByteArrayOutputStream();
    private byte @Nullable [] description;
    private String machine = "";
    private @Nullable UUID uuid;
    private int ramId;
    private boolean ramEnded;

    /** @param capabilities those that the file was saved with, as this kind of file has them */
    Imported(VmStore store, List<String> capabilities) {
        this.store = store;
        this.capabilities = capabilities;
    }

    /**
     * A message that is neither a page nor the list of blocks.
     *
     * @param at behind its last byte
     * @throws StoreException of kind {@code CORRUPT} if it does not belong into a file
     */
    void take(StreamMessage message, long at) {
        if (message instanceof StreamMessage.Configuration configuration) {
            configuration(configuration);
        } else if (message instanceof StreamMessage.SectionStart ram) {
            ramId = ram.sectionId();
        } else if (message instanceof StreamMessage.SectionEnd) {
            ramEnded = true;
        } else if (message instanceof StreamMessage.DeviceState(byte[] verbatim)) {
            (ramEnded ? late : early).writeBytes(verbatim);
        } else if (message instanceof StreamMessage.VmDescription(byte[] json)) {
            description = json;
        } else if (!isStructure(message)) {
            throw corrupt("at byte " + at + " it has " + message
                    + ", which does not belong into a precopy that was saved to a file");
        }
    }

    private static boolean isStructure(StreamMessage message) {
        return message instanceof StreamMessage.Header
                || message instanceof StreamMessage.SectionPart
                || message instanceof StreamMessage.Footer
                || message instanceof StreamMessage.EndOfRecords
                || message instanceof StreamMessage.EndOfStream
                || message instanceof StreamMessage.SwitchoverStart;
    }

    private void configuration(StreamMessage.Configuration configuration) {
        if (!configuration.capabilities().equals(capabilities)) {
            throw corrupt("it was saved with capabilities " + configuration.capabilities() + "; save it "
                    + (capabilities.isEmpty() ? "without them" : "with " + capabilities + " alone"));
        }
        machine = configuration.machine();
        uuid = configuration.uuid();
    }

    /** The blocks are known: the store waits for their pages. */
    StoreSink receive(List<BlockInfo> blocks) {
        return store.receive(new Arrival(machine, blocks, ramId, null, null, uuid, -1));
    }

    void park(boolean confirmed) {
        store.park(new StoredDevices(early.toByteArray(), late.toByteArray(), description), confirmed);
    }

    static StoreException corrupt(String why) {
        return new StoreException(StoreException.Kind.CORRUPT, "the stream cannot be imported: " + why);
    }

    static StoreException corrupt(Exception why) {
        return new StoreException(
                StoreException.Kind.CORRUPT, "the stream cannot be imported: " + why.getMessage(), why);
    }
}
