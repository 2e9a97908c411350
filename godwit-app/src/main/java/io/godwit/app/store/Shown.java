// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.store.Arrival;
import io.godwit.store.Manifest;
import io.godwit.store.StoreState;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** A manifest for people and for programs. */
final class Shown {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private Shown() {}

    static String time(Instant instant) {
        return TIME.format(instant);
    }

    static JsonObject manifest(Manifest manifest) {
        Arrival arrival = manifest.arrival();
        JsonObject.Builder shown = JsonObject.builder()
                .put("state", manifest.state().word())
                .put("machine", arrival.machine())
                .put("attempt", manifest.attempt())
                .put("clones", manifest.clones())
                .put("created", manifest.created().toString())
                .put("changed", manifest.changed().toString())
                .put("written-by", manifest.writtenBy())
                .putIfPresent("qemu-version", text(arrival.qemuVersion()))
                .putIfPresent(
                        "uuid",
                        arrival.uuid() == null ? null : Json.of(arrival.uuid().toString()))
                .putIfPresent("run-state", text(manifest.runState()));
        switch (manifest.state()) {
            case StoreState.Leaving(StoreState.Departure departure, boolean confirmed) ->
                shown.put("source-confirmed", confirmed).put("departure", departure(departure));
            case StoreState.Gone(StoreState.Departure departure, String reason) -> {
                shown.put("reason", reason);
                if (departure != null) {
                    shown.put("departure", departure(departure));
                }
            }
            case StoreState.Receiving _,
                    StoreState.ReceivingPostcopy _,
                    StoreState.Parked _,
                    StoreState.ParkedUnconfirmed _ -> {}
        }
        return shown.build();
    }

    /** What is to be known besides the word. */
    static String meaning(Manifest manifest) {
        return switch (manifest.state()) {
            case StoreState.Receiving _ -> "its source still has it; what is here is of no use without it";
            case StoreState.ReceivingPostcopy _ ->
                "it is this store's, some of its memory is still at its source: 'godwit park' on this folder goes on";
            case StoreState.Parked _ -> "complete; nobody runs it";
            case StoreState.ParkedUnconfirmed _ ->
                "complete; its source was not heard to have completed and may run it";
            case StoreState.Leaving(StoreState.Departure departure, boolean _) ->
                "to " + departure.to() + " by " + mode(departure) + " since " + time(departure.at())
                        + ", where it may run: 'godwit unpark' goes on";
            case StoreState.Gone(StoreState.Departure departure, String reason) ->
                (departure == null ? "" : "to " + departure.to() + ": ") + reason;
        };
    }

    private static String mode(StoreState.Departure departure) {
        return departure.postcopy() ? "postcopy" : "precopy";
    }

    private static Json departure(StoreState.Departure departure) {
        return JsonObject.builder()
                .put("to", departure.to())
                .put("mode", mode(departure))
                .put("at", departure.at().toString())
                .build();
    }

    private static @Nullable Json text(@Nullable String value) {
        return value == null ? null : Json.of(value);
    }
}
