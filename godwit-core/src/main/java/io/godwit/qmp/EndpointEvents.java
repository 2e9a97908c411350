// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointListener;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import java.util.Set;
import java.util.function.BiConsumer;

/** What happens at an endpoint as QMP events ({@code spec/qmp.md §3}). Called on the endpoint's loop. */
final class EndpointEvents implements EndpointListener {
    private final BiConsumer<String, JsonObject> send;
    private boolean enabled; // of the loop

    /** @param send gets an event's name and data, and must not wait */
    EndpointEvents(BiConsumer<String, JsonObject> send) {
        this.send = send;
    }

    @Override
    public void capabilitiesChanged(Set<Capability> capabilities) {
        enabled = capabilities.contains(Capability.EVENTS);
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        if (!enabled) {
            return;
        }
        JsonObject.Builder data = JsonObject.builder().put("status", to.word());
        if (!reason.isEmpty()) {
            data.put("x-godwit-reason", reason);
        }
        send.accept("MIGRATION", data.build());
    }

    @Override
    public void passStarted(long pass) {
        if (enabled) {
            send.accept("MIGRATION_PASS", JsonObject.builder().put("pass", pass).build());
        }
    }

    @Override
    public void guestStopped() {
        send.accept("STOP", Json.object());
    }

    @Override
    public void guestResumed() {
        send.accept("RESUME", Json.object());
    }

    @Override
    public void shutdown(String reason) {
        JsonObject data = JsonObject.builder()
                .put("guest", reason.startsWith("guest-"))
                .put("reason", reason)
                .build();
        send.accept("SHUTDOWN", data);
    }

    @Override
    public void notice(String text) {
        send.accept("X_GODWIT_NOTICE", JsonObject.builder().put("text", text).build());
    }
}
