// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.DeviceSection;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The guest's device sections and the run state as they travel: FULL sections, {@code spec/stream.md §4.2}, {@code globalstate} among them, and the vmdesc
 * ({@code spec/stream.md §8}) by which their borders can be found afterwards.
 */
final class Devices {
    private static final String GLOBAL_STATE = "globalstate";
    private static final int RUN_STATE_BYTES = 100;
    /** Sections before these: "ram" has id 1. */
    private static final int FIRST_SECTION = 2;

    /**
     * What came.
     *
     * @param sections the guest's own
     * @param runs whether the guest ran at the source
     */
    record Loaded(List<DeviceSection> sections, boolean runs) {}

    private Devices() {}

    static byte[] encode(List<DeviceSection> sections, String runState) {
        return DeviceSections.encode(all(sections, runState), FIRST_SECTION);
    }

    static byte[] describe(List<DeviceSection> sections, String runState) {
        return DeviceSections.describe(all(sections, runState));
    }

    private static List<DeviceSectionBytes> all(List<DeviceSection> sections, String runState) {
        List<DeviceSectionBytes> all = new ArrayList<>();
        for (DeviceSection section : sections) {
            all.add(new DeviceSectionBytes(section.idstr(), section.instanceId(), section.versionId(), section.body()));
        }
        byte[] name = runState.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer body = ByteBuffer.allocate(Integer.BYTES + RUN_STATE_BYTES);
        body.putInt(name.length + 1).put(name);
        all.add(new DeviceSectionBytes(GLOBAL_STATE, 0, 1, body.array()));
        return all;
    }

    /** @throws IllegalArgumentException if the bytes are no device sections */
    static Loaded decode(byte[] verbatim) {
        List<DeviceSectionBytes> all;
        try {
            all = DeviceSections.scan(verbatim);
        } catch (WireException e) {
            throw new IllegalArgumentException("the device sections cannot be told apart: " + e.getMessage(), e);
        }
        List<DeviceSection> sections = new ArrayList<>();
        boolean runs = true;
        for (DeviceSectionBytes section : all) {
            if (section.idstr().equals(GLOBAL_STATE)) {
                runs = runState(section.body()).equals("running");
            } else {
                sections.add(
                        new DeviceSection(section.idstr(), section.instanceId(), section.versionId(), section.body()));
            }
        }
        return new Loaded(sections, runs);
    }

    private static String runState(byte[] body) {
        if (body.length < Integer.BYTES) {
            throw new IllegalArgumentException(
                    "section '" + GLOBAL_STATE + "' has " + body.length + " bytes, too few for a run state");
        }
        int end = Integer.BYTES;
        while (end < body.length && body[end] != 0) {
            end++;
        }
        return new String(body, Integer.BYTES, Math.max(0, end - Integer.BYTES), StandardCharsets.US_ASCII);
    }
}
