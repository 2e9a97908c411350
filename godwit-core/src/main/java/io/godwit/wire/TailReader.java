// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.VmDescription;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The end of a precopy stream, from behind the END of ram: device sections, the EOF byte, the vmdesc ({@code spec/stream.md §2, §8}). One thread.
 *
 * <pre>
 *   [FULL sections]  00  [06  u32 n  n bytes JSON]
 * </pre>
 *
 * <p>In postcopy there is the EOF byte alone.
 */
final class TailReader {
    private final Reader reader;
    private final StreamLimits limits;
    private final boolean described;
    private final int early;
    private final Deque<StreamMessage> ready = new ArrayDeque<>();
    private @Nullable DeviceRunReader run;
    private @Nullable Collector json;
    private boolean afterEof;
    private boolean ended;

    /**
     * @param described a vmdesc may come last: in precopy
     * @param early device sections that came before
     */
    TailReader(Reader reader, StreamLimits limits, boolean described, int early) {
        this.reader = reader;
        this.limits = limits;
        this.described = described;
        this.early = early;
    }

    /** Whether all messages were given out. */
    boolean ended() {
        return ended && ready.isEmpty();
    }

    /** The next message, or null if more bytes are needed. The reader stands at the buffer's position. */
    @Nullable
    StreamMessage next(ByteBuffer in) throws WireException {
        if (!ready.isEmpty()) {
            return ready.remove();
        }
        if (run != null) {
            return run(in, run);
        }
        if (afterEof) {
            return description(in);
        }
        if (!reader.has(1)) {
            return null;
        }
        if (reader.peek(0) == WireFormat.FULL) {
            run = new DeviceRunReader(limits, early);
            return run(in, run);
        }
        reader.skip(1);
        reader.commit();
        afterEof = described;
        ended = !described;
        return new EndOfStream();
    }

    private @Nullable StreamMessage run(ByteBuffer in, DeviceRunReader devices) throws WireException {
        if (!devices.read(reader, in)) {
            return null;
        }
        give(devices);
        return ready.remove();
    }

    private void give(DeviceRunReader devices) {
        run = null;
        ended = true;
        ready.add(new DeviceState(devices.verbatim()));
        ready.add(new EndOfStream());
        byte[] description = devices.vmDescription();
        if (description != null) {
            ready.add(new VmDescription(description));
        }
    }

    /** As {@link StreamDecoder#mayEnd}. */
    boolean mayEnd(boolean bare) {
        return run != null && run.mayEnd(bare);
    }

    /** As {@link StreamDecoder#nothingFollows}. */
    void nothingFollows() {
        if (run != null && run.nothingFollows()) {
            give(run);
        }
    }

    private @Nullable StreamMessage description(ByteBuffer in) throws WireException {
        if (json == null) {
            if (!reader.has(5)) {
                return null;
            }
            int type = reader.u8();
            if (type != WireFormat.VM_DESCRIPTION) {
                throw reader.errorBefore(
                        1, "0x" + Integer.toHexString(type) + " after the end of the migration, where a vmdesc is due");
            }
            long length = reader.u32();
            if (length > limits.maxVmDescriptionBytes()) {
                throw reader.errorBefore(
                        4,
                        "a vmdesc of " + length + " bytes; at most " + limits.maxVmDescriptionBytes() + " are taken");
            }
            reader.commit();
            json = new Collector((int) length);
        }
        byte[] bytes = json.fill(in, reader);
        if (bytes == null) {
            return null;
        }
        ended = true;
        return new VmDescription(bytes);
    }
}
