// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.DestinationInput;
import io.godwit.wire.StreamMessage;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What a source says of its machine besides memory: what kind it is, and its devices' state. Used by the loop only. */
final class IncomingDevices {
    private final String machineName;
    private byte[] verbatim = new byte[0];

    IncomingDevices(String machineName) {
        this.machineName = machineName;
    }

    /** Another source begins. */
    void reset() {
        verbatim = new byte[0];
    }

    /** Sections before the block list and those at the end together are the device state. */
    void add(byte[] sections) {
        if (verbatim.length == 0) {
            verbatim = sections;
            return;
        }
        byte[] both = Arrays.copyOf(verbatim, verbatim.length + sections.length);
        System.arraycopy(sections, 0, both, verbatim.length, sections.length);
        verbatim = both;
    }

    /** FULL sections as they came; not to be changed. */
    byte[] verbatim() {
        return verbatim;
    }

    /** Why this machine cannot take over that one, or null. */
    @Nullable
    String unfit(StreamMessage.Configuration configuration) {
        if (!configuration.machine().equals(machineName)) {
            return "the source's machine is '" + configuration.machine() + "', this one is '" + machineName + "'";
        }
        return configuration.capabilities().isEmpty()
                ? null
                : "the source uses capabilities that are off here: " + configuration.capabilities();
    }

    /** Has the guest load them; what came of it. */
    DestinationInput load(DestinationHost host) {
        try {
            host.loadDevices(verbatim());
            return new DestinationInput.Loaded();
        } catch (IllegalArgumentException e) {
            return new DestinationInput.LoadFailed(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // A guest's defect. It has not run here, and the source is to be told so as of any other failure.
            return new DestinationInput.LoadFailed(e.toString());
        }
    }
}
