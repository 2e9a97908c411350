// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.wire.StreamMessage;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What a source says of its machine besides memory: what kind it is, and its devices' state. Used by the loop only. */
final class IncomingDevices {
    private static final byte[] UNDESCRIBED = "{}".getBytes(StandardCharsets.US_ASCII);

    private StreamMessage.Configuration configuration = StreamMessage.Configuration.of("");
    private Run early = new Run();
    private Run devices = new Run();
    private byte[] description = UNDESCRIBED;

    /** Another source begins. */
    void reset() {
        early = new Run();
        devices = new Run();
        description = UNDESCRIBED;
    }

    void configure(StreamMessage.Configuration known) {
        configuration = known;
    }

    StreamMessage.Configuration configuration() {
        return configuration;
    }

    /** @param beforeMemory whether the START of "ram" is still to come */
    void add(byte[] sections, boolean beforeMemory) {
        (beforeMemory ? early : devices).add(sections);
    }

    void describe(byte[] json) {
        description = json;
    }

    /** As it came; not to be changed. */
    MachineState state() {
        return new MachineState(early.bytes(), devices.bytes(), description);
    }

    /** Sections one behind the other. Many small ones may come, so they are put together once, when they are asked for. */
    private static final class Run {
        private final List<byte[]> parts = new ArrayList<>();
        private int size;

        /** @throws ArithmeticException past 2^31 - 1 bytes, long before which a decoder's limits end a stream */
        void add(byte[] sections) {
            size = Math.addExact(size, sections.length);
            parts.add(sections);
        }

        byte[] bytes() {
            if (parts.size() == 1) {
                return parts.getFirst();
            }
            byte[] all = new byte[size];
            int at = 0;
            for (byte[] part : parts) {
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            parts.clear();
            parts.add(all);
            return all;
        }
    }
}
