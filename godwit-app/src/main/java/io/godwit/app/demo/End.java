// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.Json;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.net.Address;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpError;
import io.godwit.qmp.QmpException;
import io.godwit.qmp.QmpMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;

/** One end as its operator has it: QMP, nothing else. What it reports goes to the board. Thread-safe. */
final class End implements AutoCloseable {
    private final Side side;
    private final Board board;
    private final Path folder;
    private final QmpClient operator;
    private final QmpClient watcher;
    private final Duration deadline;

    /**
     * Connects.
     *
     * @param folder that is not shown in addresses
     * @param deadline for each answer
     */
    End(Side side, Board board, Address qmp, Path folder, Duration deadline) throws DemoFailed {
        this.side = side;
        this.board = board;
        this.folder = folder;
        this.deadline = deadline;
        try {
            operator = QmpClient.connect(qmp, deadline);
            watcher = QmpClient.connect(qmp, deadline);
        } catch (QmpException e) {
            throw new DemoFailed("the " + side + "'s QMP does not work: " + e.getMessage(), e);
        }
        operator.addListener(this::told);
    }

    Side side() {
        return side;
    }

    /** Sends a command and shows it on the timeline. */
    Json order(String command, JsonObject arguments) throws DemoFailed {
        board.add(new Happening.Order(side, words(command, arguments, folder)));
        return ask(command, arguments);
    }

    Json order(String command) throws DemoFailed {
        return order(command, Json.object());
    }

    /** Sends a command and does not show it. */
    Json ask(String command, JsonObject arguments) throws DemoFailed {
        try {
            return operator.execute(command, arguments, deadline);
        } catch (QmpException e) {
            throw new DemoFailed("the " + side + " did not obey '" + command + "': " + e.getMessage(), e);
        }
    }

    /** A command that must be refused; returns the reason. */
    String refused(String command) throws DemoFailed {
        board.add(new Happening.Order(side, command));
        try {
            operator.execute(command, Json.object(), deadline);
        } catch (QmpError e) {
            return String.valueOf(e.getMessage());
        } catch (QmpException e) {
            throw new DemoFailed("the " + side + " did not answer '" + command + "': " + e.getMessage(), e);
        }
        throw new DemoFailed("the " + side + " obeyed '" + command + "', which must be refused");
    }

    JsonObject query(String command) throws DemoFailed {
        if (ask(command, Json.object()) instanceof JsonObject answer) {
            return answer;
        }
        throw new DemoFailed("the " + side + " did not answer '" + command + "' with an object");
    }

    /** Brings the board's figures up to date. */
    void sample() throws QmpException {
        if (watcher.execute("query-migrate", Json.object(), deadline) instanceof JsonObject migration
                && watcher.execute("x-godwit-guest-stats", Json.object(), deadline) instanceof JsonObject guest) {
            board.figures(side, migration, guest);
        }
    }

    private void told(QmpMessage.Event event) {
        JsonObject data = event.data();
        switch (event.name()) {
            case "MIGRATION" ->
                board.add(new Happening.Status(side, data.string("status", "?"), data.string("x-godwit-reason", "")));
            case "STOP" -> board.add(new Happening.GuestRuns(side, false));
            case "RESUME" -> board.add(new Happening.GuestRuns(side, true));
            case "X_GODWIT_NOTICE" -> board.add(new Happening.Notice(side, data.string("text", "")));
            default -> {
                // MIGRATION_PASS and SHUTDOWN tell nothing that the timeline lacks.
            }
        }
    }

    /** A command as an operator would write it, without what is the same in each. */
    static String words(String command, JsonObject arguments, Path folder) {
        StringBuilder text = new StringBuilder(command);
        for (Map.Entry<String, Json> argument : arguments.members().entrySet()) {
            text.append(' ').append(argument.getKey()).append('=').append(word(argument.getValue()));
        }
        return text.toString().replace(folder + "/", "");
    }

    private static String word(Json value) {
        return switch (value) {
            case JsonString(String text) -> text;
            case JsonNumber number -> number.toString();
            case io.godwit.json.JsonArray array ->
                array.values().stream().map(End::word).collect(Collectors.joining(","));
            case JsonObject object -> object.string("capability", object.toString());
            case io.godwit.json.JsonBool bool -> bool.toString();
            case io.godwit.json.JsonNull nothing -> nothing.toString();
        };
    }

    @Override
    public void close() {
        operator.close();
        watcher.close();
    }
}
