// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import org.jspecify.annotations.Nullable;

/** One connection through a {@link Relay}: who connected, the target, and a flow each way. */
final class Relayed {
    final long number;
    final Connection client;
    final @Nullable Connection target;
    private @Nullable Flow forward;
    private @Nullable Flow back;

    /** @param target null: it is never connected to */
    Relayed(long number, Connection client, @Nullable Connection target) {
        this.number = number;
        this.client = client;
        this.target = target;
    }

    void flows(@Nullable Flow toTarget, @Nullable Flow toClient) {
        forward = toTarget;
        back = toClient;
    }

    @Nullable
    Flow forward() {
        return forward;
    }

    @Nullable
    Flow back() {
        return back;
    }

    /** The flow that this end sends into. */
    @Nullable
    Flow from(Connection connection) {
        return connection == client ? forward : back;
    }

    /** The flow that this end receives. */
    @Nullable
    Flow to(Connection connection) {
        return connection == client ? back : forward;
    }

    @Nullable
    Connection other(Connection connection) {
        return connection == client ? target : client;
    }
}
