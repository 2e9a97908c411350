// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.util.Arrays;
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
