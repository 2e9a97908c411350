// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import java.util.ArrayList;
import java.util.List;

/**
 * What a QEMU is, as far as it matters for whether a guest fits into it.
 *
 * @param machine the machine type without alias: {@code pc-i440fx-7.2}
 * @param memoryBytes of the guest, plugged memory included
 * @param uuid of the guest; {@link #NO_UUID} if it was given none
 */
public record PeerIdentity(PeerVersion version, String machine, long memoryBytes, String uuid) {
    /** What a QEMU without {@code -uuid} says. */
    public static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

    /**
     * Why a guest that came from {@code origin} must not be unparked into this one: sentences, none if it fits. The rule is the same machine type and the
     * same or a newer version: older versions are not tested against streams of newer ones, even if they know the machine type.
     */
    public List<String> obstacles(PeerIdentity origin) {
        List<String> sentences = new ArrayList<>();
        if (!machine.equals(origin.machine)) {
            sentences.add("the guest's machine type is '" + origin.machine + "', here it is '" + machine
                    + "': start QEMU with -machine " + origin.machine);
        }
        if (!version.atLeast(origin.version)) {
            sentences.add("the guest comes from QEMU " + origin.version + " and this is the older " + version + ": use "
                    + origin.version.major() + "." + origin.version.minor() + " or newer");
        }
        if (memoryBytes != origin.memoryBytes) {
            sentences.add("the guest has " + origin.memoryBytes + " bytes of memory, here there are " + memoryBytes
                    + ": start QEMU with -m " + origin.memoryBytes + "B");
        }
        if (!uuid.equals(origin.uuid) && !uuid.equals(NO_UUID) && !origin.uuid.equals(NO_UUID)) {
            sentences.add("the guest's UUID is " + origin.uuid + ", this place is for " + uuid);
        }
        return sentences;
    }

    @Override
    public String toString() {
        return "QEMU " + version + ", " + machine + ", " + (memoryBytes >> 20) + " MiB, UUID " + uuid;
    }
}
