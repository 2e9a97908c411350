// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.End;
import io.godwit.app.lab.LabFailed;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.Relay;

/** Two ends and the path between them, where a recovery can fail. */
interface Ground {
    End source();

    End destination();

    /** The relay next to the source. */
    Relay relayA();

    /** The relay next to the destination. */
    Relay relayB();

    /** Where the source connects to. */
    Address sourceAddress();

    /** Where the destination listens. */
    Address destinationAddress();

    /** Sends the same command to both ends. */
    void orderBoth(String command, JsonObject arguments) throws LabFailed;
}
