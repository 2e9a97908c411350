// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/**
 * A machine's device state as it stands in a stream, verbatim. The arrays are not copied and not to be changed.
 *
 * @param early FULL sections before the START of "ram", mostly none
 * @param devices FULL sections after its END, or inside PACKAGED
 * @param description the JSON that describes them ({@code spec/stream.md §8}); {@code {}} where none came, as in postcopy
 */
@SuppressWarnings("ArrayRecordComponent") // handed on as it is, never compared
public record MachineState(byte[] early, byte[] devices, byte[] description) {
    /** All sections in one run. */
    public byte[] all() {
        byte[] all = java.util.Arrays.copyOf(early, early.length + devices.length);
        System.arraycopy(devices, 0, all, early.length, devices.length);
        return all;
    }
}
