// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonTypeException;
import io.godwit.memory.XxHash64;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A manifest as JSON and back. Member {@code check} is the XXH64 of the others as compact text, so that a bad disk or an edit by hand is noticed. */
final class ManifestJson {
    private static final String CHECK = "check";

    private ManifestJson() {}

    static JsonObject encode(Manifest manifest) {
        Arrival arrival = manifest.arrival();
        JsonObject body = JsonObject.builder()
                .put("format", Manifest.FORMAT)
                .put("godwit", manifest.writtenBy())
                .put("state", state(manifest.state()))
                .put("created", manifest.created().toString())
                .put("changed", manifest.changed().toString())
                .put("machine", arrival.machine())
                .putIfPresent("qemu", text(arrival.qemuVersion()))
                .putIfPresent("peer", text(arrival.peer()))
                .putIfPresent(
                        "uuid",
                        arrival.uuid() == null ? null : Json.of(arrival.uuid().toString()))
                .putIfPresent("run-state", text(manifest.runState()))
                .put("attempt", manifest.attempt())
                .put("nonce", arrival.nonce())
                .put("ram-section-id", arrival.ramSectionId())
                .put("clones", manifest.clones())
                .putIfPresent("last-clone", manifest.lastClone() == null ? null : departure(manifest.lastClone()))
                .put("page-size", Pages.SIZE)
                .put("blocks", blocks(arrival.blocks()))
                .build();
        return JsonObject.builder().putAll(body).put(CHECK, check(body)).build();
    }

    private static @Nullable Json text(@Nullable String value) {
        return value == null ? null : Json.of(value);
    }

    private static JsonArray blocks(List<BlockInfo> blocks) {
        List<Json> list = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            list.add(JsonObject.builder()
                    .put("name", blocks.get(i).name())
                    .put("bytes", blocks.get(i).usedLength())
                    .put("ram", Manifest.ramFile(i))
                    .put("digests", Manifest.digestFile(i))
                    .build());
        }
        return new JsonArray(list);
    }

    private static JsonObject state(StoreState state) {
        JsonObject.Builder json = JsonObject.builder().put("word", state.word());
        switch (state) {
            case StoreState.Receiving _,
                    StoreState.ReceivingPostcopy _,
                    StoreState.Parked _,
                    StoreState.ParkedUnconfirmed _ -> {}
            case StoreState.Leaving(StoreState.Departure departure, boolean confirmed) ->
                json.put("departure", departure(departure)).put("confirmed", confirmed);
            case StoreState.Gone(StoreState.Departure departure, String reason) ->
                json.putIfPresent("departure", departure == null ? null : departure(departure))
                        .put("reason", reason);
        }
        return json.build();
    }

    private static JsonObject departure(StoreState.Departure departure) {
        return JsonObject.builder()
                .put("to", departure.to())
                .putIfPresent("peer", text(departure.peer()))
                .put("postcopy", departure.postcopy())
                .put("nonce", departure.nonce())
                .put("at", departure.at().toString())
                .build();
    }

    private static String check(JsonObject body) {
        byte[] bytes = body.toText(JsonFormat.COMPACT).getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().toHexDigits(XxHash64.hash(MemorySegment.ofArray(bytes), 0, bytes.length, 0));
    }

    /** @throws IllegalArgumentException with what is wrong, as the rest of a sentence */
    static Manifest decode(JsonObject json) {
        try {
            long format = json.int64("format");
            if (format != Manifest.FORMAT) {
                throw new IllegalArgumentException("its format is " + format + ", this Godwit knows " + Manifest.FORMAT
                        + "; use Godwit " + json.string("godwit", "of that format"));
            }
            JsonObject.Builder rest = JsonObject.builder();
            json.members().forEach((name, value) -> {
                if (!name.equals(CHECK)) {
                    rest.put(name, value);
                }
            });
            if (!json.string(CHECK).equals(check(rest.build()))) {
                throw new IllegalArgumentException("its text does not match its check sum");
            }
            return manifest(json);
        } catch (JsonTypeException | DateTimeException e) {
            throw new IllegalArgumentException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Manifest manifest(JsonObject json) {
        if (json.int64("page-size") != Pages.SIZE) {
            throw new IllegalArgumentException("its page size is " + json.int64("page-size"));
        }
        List<BlockInfo> blocks = new ArrayList<>();
        JsonArray list = json.array("blocks");
        for (int i = 0; i < list.size(); i++) {
            blocks.add(
                    BlockInfo.of(list.object(i).string("name"), list.object(i).int64("bytes")));
        }
        Arrival arrival = new Arrival(
                json.string("machine"),
                blocks,
                (int) json.int64("ram-section-id"),
                json.has("qemu") ? json.string("qemu") : null,
                json.has("peer") ? json.string("peer") : null,
                json.has("uuid") ? UUID.fromString(json.string("uuid")) : null,
                (int) json.int64("nonce"));
        return new Manifest(
                state(json.object("state")),
                arrival,
                (int) json.int64("attempt"),
                json.has("run-state") ? json.string("run-state") : null,
                (int) json.int64("clones"),
                json.has("last-clone") ? departure(json, "last-clone") : null,
                Instant.parse(json.string("created")),
                Instant.parse(json.string("changed")),
                json.string("godwit"));
    }

    private static StoreState state(JsonObject json) {
        String word = json.string("word");
        return switch (word) {
            case "receiving" -> new StoreState.Receiving();
            case "receiving-postcopy" -> new StoreState.ReceivingPostcopy();
            case "parked" -> new StoreState.Parked();
            case "parked-unconfirmed" -> new StoreState.ParkedUnconfirmed();
            case "leaving" -> new StoreState.Leaving(departure(json, "departure"), json.bool("confirmed"));
            case "gone" ->
                new StoreState.Gone(json.has("departure") ? departure(json, "departure") : null, json.string("reason"));
            default -> throw new IllegalArgumentException("state '" + word + "' is unknown");
        };
    }

    private static StoreState.Departure departure(JsonObject json, String name) {
        JsonObject object = json.object(name);
        return new StoreState.Departure(
                object.string("to"),
                object.has("peer") ? object.string("peer") : null,
                object.bool("postcopy"),
                (int) object.int64("nonce"),
                Instant.parse(object.string("at")));
    }
}
