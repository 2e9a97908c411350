// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.List;

/** The guest's devices: how far its writers are, and whether it runs. */
final class SimDevices {
    /** Not Godwit's own: the source may choose. */
    static final int RAM_SECTION = 5;

    private static final int FIRST_SECTION = 6;

    private final Truth truth;

    SimDevices(Truth truth) {
        this.truth = truth;
    }

    byte[] save(boolean runs) {
        return DeviceSections.encode(sections(runs), FIRST_SECTION);
    }

    byte[] describe(boolean runs) {
        return DeviceSections.describe(sections(runs));
    }

    private List<DeviceSectionBytes> sections(boolean runs) {
        ByteBuffer body = ByteBuffer.allocate(Long.BYTES * truth.writers());
        for (int i = 0; i < truth.writers(); i++) {
            body.putLong(truth.steps(i));
        }
        return List.of(
                new DeviceSectionBytes("sim/writers", 0, 1, body.array()),
                new DeviceSectionBytes("sim/runs", 0, 1, new byte[] {(byte) (runs ? 1 : 0)}));
    }

    /**
     * Takes a state over, which must be the guest's own as it stopped.
     *
     * @return whether it ran
     */
    boolean load(byte[] verbatim) {
        List<DeviceSectionBytes> sections;
        try {
            sections = DeviceSections.scan(verbatim);
        } catch (WireException e) {
            throw new IllegalArgumentException("the device sections cannot be told apart: " + e.getMessage(), e);
        }
        if (sections.size() != 2 || sections.get(0).body().length != Long.BYTES * truth.writers()) {
            throw new IllegalArgumentException("device sections " + sections);
        }
        ByteBuffer body = ByteBuffer.wrap(sections.get(0).body());
        for (int i = 0; i < truth.writers(); i++) {
            long steps = body.getLong();
            if (steps != truth.steps(i)) {
                throw new Violation("writer " + i + " arrives at step " + steps + " and was at " + truth.steps(i)
                        + ": an old device state was loaded");
            }
        }
        return sections.get(1).body()[0] != 0;
    }
}
