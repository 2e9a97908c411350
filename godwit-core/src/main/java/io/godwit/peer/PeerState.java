// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.net.Address;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a QEMU said when it was asked ({@code spec/qmp.md §4}).
 *
 * @param status of the migration, in its own words, also ones that are not known here; {@link #NONE} if there never was one. A 7.2 that waits for a
 *     migration says {@code none}, newer ones {@code setup} ({@code spec/sequences.md §8.2})
 * @param runState for example running, paused, inmigrate, finish-migrate, postmigrate
 * @param running whether the guest runs
 * @param error why the last migration failed or paused, if it says so
 * @param listening where it waits for a migration, if it says so
 * @param blockers why it would not migrate
 */
public record PeerState(
        String status,
        String runState,
        boolean running,
        @Nullable String error,
        @Nullable Address listening,
        List<String> blockers) {
    /** No migration ever. */
    public static final String NONE = "none";

    static PeerState of(JsonObject migrate, JsonObject status) {
        return new PeerState(
                migrate.string("status", NONE),
                status.string("status"),
                status.bool("running"),
                migrate.has("error-desc") ? migrate.string("error-desc") : null,
                migrate.has("socket-address") ? listening(migrate.array("socket-address")) : null,
                migrate.has("blocked-reasons") ? strings(migrate.array("blocked-reasons")) : List.of());
    }

    /** Whether the status is one of these words. */
    public boolean is(String... words) {
        return List.of(words).contains(status);
    }

    /** Whether the guest is, or is about to be, at the destination, with memory still at the source. */
    public boolean inPostcopy() {
        return status.startsWith("postcopy-");
    }

    /** Where it waits for a guest: started with {@code -incoming} and nothing whole has arrived. */
    public boolean waitsForGuest() {
        return runState.equals("inmigrate");
    }

    private static @Nullable Address listening(JsonArray addresses) {
        for (int i = 0; i < addresses.size(); i++) {
            JsonObject address = addresses.object(i);
            String type = address.string("type", "");
            if (type.equals("inet") && address.string("port").matches("[0-9]{1,5}")) {
                return new Address.Tcp(address.string("host"), Integer.parseInt(address.string("port")));
            }
            if (type.equals("unix")) {
                return new Address.Unix(Path.of(address.string("path")));
            }
        }
        return null;
    }

    private static List<String> strings(JsonArray array) {
        return array.values().stream()
                .filter(JsonString.class::isInstance)
                .map((Json value) -> ((JsonString) value).value())
                .toList();
    }

    @Override
    public String toString() {
        return "migration " + status + ", guest " + runState + (error == null ? "" : ", '" + error + "'");
    }
}
