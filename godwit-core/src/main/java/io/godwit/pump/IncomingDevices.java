// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.wire.StreamMessage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a source says of its machine besides memory: what kind it is, and its devices' state. Used by the loop only. */
final class IncomingDevices {
    private static final byte[] NOTHING = {};
    private static final byte[] UNDESCRIBED = "{}".getBytes(StandardCharsets.US_ASCII);

    private StreamMessage.Configuration configuration = StreamMessage.Configuration.of("");
    private byte[] early = NOTHING;
    private byte[] devices = NOTHING;
    private byte[] description = UNDESCRIBED;

    /** Another source begins. */
    void reset() {
        early = NOTHING;
        devices = NOTHING;
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
        if (beforeMemory) {
            early = both(early, sections);
        } else {
            devices = both(devices, sections);
        }
    }

    void describe(byte[] json) {
        description = json;
    }

    /** As it came; not to be changed. */
    MachineState state() {
        return new MachineState(early, devices, description);
    }

    private static byte[] both(byte[] first, byte[] second) {
        if (first.length == 0) {
            return second;
        }
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
