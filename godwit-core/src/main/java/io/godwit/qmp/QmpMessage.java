// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.json.JsonTypeException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is said over QMP, in either direction ({@code spec/qmp.md §1}). */
public sealed interface QmpMessage {

    JsonObject toJson();

    /**
     * The server's first word.
     *
     * @param version as query-version returns it
     * @param capabilities what may be enabled by qmp_capabilities; the only one known is {@code oob}
     */
    record Greeting(JsonObject version, List<String> capabilities) implements QmpMessage {
        public Greeting {
            capabilities = List.copyOf(capabilities);
        }

        @Override
        public JsonObject toJson() {
            JsonArray offered =
                    new JsonArray(capabilities.stream().<Json>map(Json::of).toList());
            return JsonObject.builder()
                    .put(
                            "QMP",
                            JsonObject.builder()
                                    .put("version", version)
                                    .put("capabilities", offered)
                                    .build())
                    .build();
        }
    }

    /**
     * A command.
     *
     * @param id any value, which the answer repeats, or null
     * @param oob to be carried out at once, past commands that wait ({@code exec-oob})
     */
    record Command(
            String name, JsonObject arguments, @Nullable Json id, boolean oob) implements QmpMessage {
        private static final Set<String> MEMBERS = Set.of("execute", "exec-oob", "arguments", "id");

        @Override
        public JsonObject toJson() {
            JsonObject.Builder json = JsonObject.builder().put(oob ? "exec-oob" : "execute", name);
            if (arguments.size() > 0) {
                json.put("arguments", arguments);
            }
            return json.putIfPresent("id", id).build();
        }

        /** Reads a command as strictly as QEMU's server does: what it does not know is an error. */
        public static Command parse(Json json) throws QmpFormatException {
            if (!(json instanceof JsonObject object)) {
                throw new QmpFormatException("a QMP command is a JSON object, got " + json.typeName(), null);
            }
            Json id = object.get("id");
            for (String member : object.names()) {
                if (!MEMBERS.contains(member)) {
                    throw new QmpFormatException("a QMP command has no member '" + member + "'", id);
                }
            }
            boolean oob = object.has("exec-oob");
            if (oob == object.has("execute")) {
                throw new QmpFormatException(
                        "a QMP command has either 'execute' or 'exec-oob', got " + (oob ? "both" : "neither"), id);
            }
            try {
                return new Command(
                        object.string(oob ? "exec-oob" : "execute"),
                        object.has("arguments") ? object.object("arguments") : Json.object(),
                        id,
                        oob);
            } catch (JsonTypeException e) {
                throw new QmpFormatException("in a QMP command " + e.getMessage(), id);
            }
        }
    }

    /** A command's answer. */
    record Return(Json value, @Nullable Json id) implements QmpMessage {
        @Override
        public JsonObject toJson() {
            return JsonObject.builder()
                    .put("return", value)
                    .putIfPresent("id", id)
                    .build();
        }
    }

    /** A command's refusal. */
    record ErrorReply(
            String errorClass, String description, @Nullable Json id) implements QmpMessage {
        @Override
        public JsonObject toJson() {
            return JsonObject.builder()
                    .put(
                            "error",
                            JsonObject.builder()
                                    .put("class", errorClass)
                                    .put("desc", description)
                                    .build())
                    .putIfPresent("id", id)
                    .build();
        }
    }

    /**
     * Something happened.
     *
     * @param seconds since 1970-01-01T00:00Z, -1 if the server does not know the time
     * @param microseconds of that second, -1 if the server does not know the time
     */
    record Event(String name, JsonObject data, long seconds, long microseconds) implements QmpMessage {
        private static final int NANOS = 1000;

        public static Event at(Instant time, String name, JsonObject data) {
            return new Event(name, data, time.getEpochSecond(), time.getNano() / NANOS);
        }

        @Override
        public JsonObject toJson() {
            JsonObject.Builder json = JsonObject.builder()
                    .put(
                            "timestamp",
                            JsonObject.builder()
                                    .put("seconds", seconds)
                                    .put("microseconds", microseconds)
                                    .build())
                    .put("event", name);
            if (data.size() > 0) {
                json.put("data", data);
            }
            return json.build();
        }
    }

    /** Reads a message of any kind. What a server says may have members that are not known here: they are passed over. */
    static QmpMessage parse(Json json) throws QmpFormatException {
        if (!(json instanceof JsonObject object)) {
            throw new QmpFormatException("a QMP message is a JSON object, got " + json.typeName(), null);
        }
        Json id = object.get("id");
        try {
            if (object.has("return")) {
                return new Return(object.require("return"), id);
            } else if (object.has("error")) {
                JsonObject error = object.object("error");
                return new ErrorReply(error.string("class"), error.string("desc"), id);
            } else if (object.has("event")) {
                JsonObject time = object.object("timestamp");
                JsonObject data = object.has("data") ? object.object("data") : Json.object();
                return new Event(object.string("event"), data, time.int64("seconds"), time.int64("microseconds"));
            } else if (object.has("QMP")) {
                return greeting(object.object("QMP"));
            }
        } catch (JsonTypeException e) {
            throw new QmpFormatException("in a QMP message " + e.getMessage(), id);
        }
        return Command.parse(object);
    }

    private static Greeting greeting(JsonObject json) {
        // A capability that is no plain string (QEMU's schema leaves room for it) is one that nobody here could enable.
        List<String> capabilities = json.array("capabilities").values().stream()
                .filter(JsonString.class::isInstance)
                .map(capability -> ((JsonString) capability).value())
                .toList();
        return new Greeting(json.object("version"), capabilities);
    }
}
