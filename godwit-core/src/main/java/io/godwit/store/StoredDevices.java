// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.wire.DescribedDevice;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A VM's device state, verbatim. The arrays are not copied and not to be changed.
 *
 * @param early FULL sections that came before the START of "ram", mostly none
 * @param late FULL sections that came after its END, or in the PACKAGED blob
 * @param vmDescription the JSON that describes them, or null: there is none in postcopy
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content below
public record StoredDevices(byte[] early, byte[] late, byte @Nullable [] vmDescription) {
    private static final byte[] NOTHING_KNOWN = "{}".getBytes(StandardCharsets.US_ASCII);

    /**
     * The JSON for a precopy's end, by which its reader finds that end: the one that came, or one of our own where none came that lists anything. {@code {}} if there is none and the sections cannot be
     * told apart; QEMU reads it and throws it away.
     */
    public byte[] description() {
        byte[] came = vmDescription;
        if (came != null && listsDevices(came)) {
            return came;
        }
        try {
            List<DeviceSectionBytes> sections = new ArrayList<>(DeviceSections.scan(early));
            sections.addAll(DeviceSections.scan(late));
            return DeviceSections.describe(sections);
        } catch (WireException e) {
            return NOTHING_KNOWN; // as it stands, a destination has to find the end by the silence behind it
        }
    }

    private static boolean listsDevices(byte[] description) {
        try {
            return !DescribedDevice.parse(description, 0).isEmpty();
        } catch (WireException e) {
            return false; // of no use to anybody
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoredDevices that
                && Arrays.equals(that.early, early)
                && Arrays.equals(that.late, late)
                && Arrays.equals(that.vmDescription, vmDescription);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(late);
    }

    @Override
    public String toString() {
        return "StoredDevices[" + early.length + " + " + late.length + " bytes"
                + (vmDescription == null ? "]" : ", described]");
    }
}
