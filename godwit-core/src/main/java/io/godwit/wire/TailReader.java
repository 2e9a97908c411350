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
 */
final class TailReader {
    private final Reader reader;
    private final StreamLimits limits;
    private final boolean described;
    private final int early;
    private final Deque<StreamMessage> ready = new ArrayDeque<>();
    private @Nullable DeviceRunReader run;
    private @Nullable DeviceChainReader chain;
    private @Nullable Collector json;
    private boolean afterEof;
    private boolean ended;

    /**
     * @param described a vmdesc comes last
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
        if (chain != null) {
            return chain(in, chain);
        }
        if (afterEof) {
            return description(in);
        }
        if (!reader.has(1)) {
            return null;
        }
        if (reader.peek(0) == WireFormat.FULL) {
            return begin(in);
        }
        reader.skip(1);
        reader.commit();
        afterEof = described;
        ended = !described;
        return new EndOfStream();
    }

    private @Nullable StreamMessage begin(ByteBuffer in) throws WireException {
        if (described) {
            run = new DeviceRunReader(limits, early);
            return run(in, run);
        }
        chain = new DeviceChainReader(limits.maxDeviceBytes(), false, 0, true);
        return chain(in, chain);
    }

    private @Nullable StreamMessage run(ByteBuffer in, DeviceRunReader devices) throws WireException {
        if (!devices.read(reader, in)) {
            return null;
        }
        run = null;
        ended = true;
        ready.add(new EndOfStream());
        ready.add(new VmDescription(devices.vmDescription()));
        return new DeviceState(devices.verbatim());
    }

    private @Nullable StreamMessage chain(ByteBuffer in, DeviceChainReader devices) throws WireException {
        if (!devices.read(reader, in)) {
            return null;
        }
        chain = null;
        return new DeviceState(devices.verbatim());
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
