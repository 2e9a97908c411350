// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.qemu.QemuProcess;

/** A QEMU as an end of a migration. */
record QemuPeer(QemuProcess process) implements Peer {
    @Override
    public Json qmp(String command, JsonObject arguments) {
        return process.qmp(command, arguments);
    }

    @Override
    public String name() {
        return "QEMU";
    }

    /** Whether it does what it is told. */
    boolean obeys(String command, JsonObject arguments) {
        try {
            process.qmp(command, arguments);
            return true;
        } catch (AssertionError refused) {
            return false;
        }
    }
}
