// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.MigrationInfo;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationStatus;

/**
 * The answer to query-migrate: QEMU 10.0's members in each state ({@code spec/qmp.md §4}), the latency members of 10.1 and later, and
 * Godwit's own, whose names begin with {@code x-godwit-}.
 */
final class QueryMigrate {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private QueryMigrate() {}

    /** @param blocktime whether the capability postcopy-blocktime is on */
    static JsonObject shown(MigrationInfo info, boolean blocktime) {
        MigrationInfo.Role role = info.role();
        if (role == null) {
            return Json.object();
        }
        JsonObject.Builder json =
                JsonObject.builder().put("status", info.status().word());
        switch (role) {
            case SOURCE -> source(json, info);
            case DESTINATION -> destination(json, info, blocktime);
        }
        // What went wrong on the way is of no interest to QEMU's users once all is well.
        if (info.errorDesc() != null && info.status() != MigrationStatus.COMPLETED) {
            json.put("error-desc", info.errorDesc());
        }
        return json.putAll(own(role, info)).build();
    }

    private static void source(JsonObject.Builder json, MigrationInfo info) {
        switch (info.status()) {
            case NONE, SETUP, CANCELLED, FAILED -> {}
            case CANCELLING, ACTIVE, PRE_SWITCHOVER, DEVICE -> {
                times(json, info);
                json.put("expected-downtime", info.expectedDowntimeMillis());
                json.put("ram", ram(info.ram()));
            }
            case POSTCOPY_ACTIVE, POSTCOPY_PAUSED, POSTCOPY_RECOVER_SETUP, POSTCOPY_RECOVER, UNCERTAIN, COMPLETED -> {
                times(json, info);
                if (info.downtimeMillis() >= 0) {
                    json.put("downtime", info.downtimeMillis());
                }
                json.put("ram", ram(info.ram()));
            }
        }
    }

    private static void destination(JsonObject.Builder json, MigrationInfo info, boolean blocktime) {
        boolean completed = info.status() == MigrationStatus.COMPLETED;
        if (!completed && !info.listening().isEmpty()) {
            json.put(
                    "socket-address",
                    new JsonArray(
                            info.listening().stream().map(MigrateTarget::shown).toList()));
        }
        if (completed && blocktime) {
            MigrationInfo.Requests requests = info.requests();
            json.put("postcopy-blocktime", requests.blockedNanos() / NANOS_PER_MILLI);
            json.put("postcopy-latency", requests.meanNanos());
            json.put(
                    "postcopy-latency-dist",
                    new JsonArray(
                            requests.distribution().stream().<Json>map(Json::of).toList()));
        }
    }

    private static void times(JsonObject.Builder json, MigrationInfo info) {
        json.put("total-time", info.totalTimeMillis());
        json.put("setup-time", info.setupTimeMillis());
    }

    /** QEMU's MigrationStats, all of its members. */
    private static JsonObject ram(MigrationInfo.Ram ram) {
        return JsonObject.builder()
                .put("total", ram.total())
                .put("postcopy-requests", ram.postcopyRequests())
                .put("dirty-sync-count", ram.dirtySyncCount())
                .put("multifd-bytes", ram.multifdBytes())
                .put("pages-per-second", ram.pagesPerSecond())
                .put("downtime-bytes", ram.downtimeBytes())
                .put("page-size", Pages.SIZE)
                .put("remaining", ram.remaining())
                .put("postcopy-bytes", ram.postcopyBytes())
                .put("mbps", ram.mbps())
                .put("transferred", ram.transferred())
                .put("dirty-sync-missed-zero-copy", 0)
                .put("precopy-bytes", ram.precopyBytes())
                .put("duplicate", ram.duplicate())
                .put("dirty-pages-rate", ram.dirtyPagesRate())
                .put("normal-bytes", ram.normal() * Pages.SIZE)
                .put("normal", ram.normal())
                .build();
    }

    private static JsonObject own(MigrationInfo.Role role, MigrationInfo info) {
        JsonObject.Builder json = JsonObject.builder();
        MigrationInfo.Extra extra = info.extra();
        switch (role) {
            case SOURCE -> json.put("x-godwit-role", "source");
            case DESTINATION -> {
                json.put("x-godwit-role", "destination");
                json.put("x-godwit-received", received(info.ram()));
                json.put("x-godwit-requests", requests(info.requests()));
                json.put("x-godwit-duplicates", extra.duplicates());
                json.put("x-godwit-stray-connections", extra.strayConnections());
                if (extra.sourceConfirmed() != null) {
                    json.put("x-godwit-source", extra.sourceConfirmed() ? "confirmed" : "unconfirmed");
                }
            }
        }
        if (extra.held()) {
            json.put("x-godwit-held", true);
        }
        json.put("x-godwit-recoveries-tried", extra.recoveriesTried());
        if (extra.uncertainWhy() != null) {
            json.put("x-godwit-uncertain", extra.uncertainWhy());
        }
        return json.build();
    }

    /** Of MigrationStats what means something at a destination, which QEMU does not show there. */
    private static JsonObject received(MigrationInfo.Ram ram) {
        return JsonObject.builder()
                .put("total", ram.total())
                .put("remaining", ram.remaining())
                .put("transferred", ram.transferred())
                .put("duplicate", ram.duplicate())
                .put("normal", ram.normal())
                .put("postcopy-requests", ram.postcopyRequests())
                .put("multifd-bytes", ram.multifdBytes())
                .build();
    }

    private static JsonObject requests(MigrationInfo.Requests requests) {
        return JsonObject.builder()
                .put("count", requests.count())
                .put("outstanding", requests.outstanding())
                .put("blocked-ns", requests.blockedNanos())
                .put("mean-ns", requests.meanNanos())
                .put("p50-ns", requests.p50Nanos())
                .put("p90-ns", requests.p90Nanos())
                .put("p99-ns", requests.p99Nanos())
                .put("max-ns", requests.maxNanos())
                .build();
    }
}
