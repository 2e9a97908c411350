// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.WireException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The guest's run state out of its device state, {@code spec/stream.md §4.2}: for showing. */
final class RunState {
    private static final String SECTION = "globalstate";

    private RunState() {}

    /** The word in section "globalstate"; "running" if there is no such section, as QEMU takes it; null if the sections cannot be told apart. */
    static @Nullable String of(StoredDevices devices) {
        if (devices.late().length == 0) {
            return "running";
        }
        try {
            for (DeviceSectionBytes section : DeviceSections.scan(devices.late())) {
                if (section.idstr().equals(SECTION)) {
                    return word(section.body());
                }
            }
            return "running";
        } catch (WireException e) {
            return null; // a body that imitates borders; the bytes are kept as they are all the same
        }
    }

    private static @Nullable String word(byte[] body) {
        int from = Integer.BYTES;
        int end = from;
        while (end < body.length && body[end] > 0x20 && body[end] < 0x7f) {
            end++;
        }
        return end > from ? new String(body, from, end - from, StandardCharsets.US_ASCII) : null;
    }
}
