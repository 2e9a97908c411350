// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** One end of a migration, spoken to by QMP: what is said to a QEMU and to Godwit is the same. */
interface Peer {
    long PATIENCE_SECONDS = 45;

    Json qmp(String command, JsonObject arguments);

    String name();

    default void capabilities(List<String> on) {
        qmp(
                "migrate-set-capabilities",
                JsonObject.builder()
                        .put(
                                "capabilities",
                                new JsonArray(on.stream()
                                        .<Json>map(c -> JsonObject.builder()
                                                .put("capability", c)
                                                .put("state", true)
                                                .build())
                                        .toList()))
                        .build());
    }

    /** Bytes per second before and after the switch, 0 for all there is; a precopy with a limit never ends, one without always does. */
    default void bandwidth(long precopy, long postcopy) {
        qmp(
                "migrate-set-parameters",
                JsonObject.builder()
                        .put("max-bandwidth", precopy)
                        .put("max-postcopy-bandwidth", postcopy)
                        .put("downtime-limit", precopy == 0 ? 20_000 : 1)
                        .build());
    }

    default void migrate(Address to, boolean resume) {
        JsonObject.Builder arguments = JsonObject.builder().put("uri", to.toString());
        qmp("migrate", resume ? arguments.put("resume", true).build() : arguments.build());
    }

    /** @param command migrate-incoming or migrate-recover */
    default void listen(String command, Address at) {
        qmp(command, JsonObject.builder().put("uri", at.toString()).build());
    }

    default void pause() {
        qmp("migrate-pause", Json.object());
    }

    /** The other end's pause may have paused this one already. */
    default void pauseUnlessPaused() {
        try {
            pause();
        } catch (AssertionError refused) {
            if (!status().equals("postcopy-paused")) {
                throw refused;
            }
        }
    }

    default JsonObject migration() {
        return (JsonObject) qmp("query-migrate", Json.object());
    }

    default String status() {
        JsonObject migration = migration();
        return migration.has("status") ? migration.string("status") : "none";
    }

    default boolean runs() {
        return ((JsonObject) qmp("query-status", Json.object())).bool("running");
    }

    /** Whether it shows that it keeps a channel though it is paused. */
    default boolean holds() {
        return JsonBool.TRUE.equals(migration().members().get("x-godwit-held"));
    }

    default String await(String... wanted) {
        String[] last = {"none"};
        eventually(() -> name() + " is in " + String.join(" or ", wanted) + ", not in " + last[0], () -> {
            last[0] = status();
            return Arrays.asList(wanted).contains(last[0]);
        });
        return last[0];
    }

    static void eventually(Supplier<String> what, BooleanSupplier met) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!met.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as(() -> "waiting until " + what.get())
                    .isLessThan(end);
            LockSupport.parkNanos(2_000_000);
        }
    }
}
