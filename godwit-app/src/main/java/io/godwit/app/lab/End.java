// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** One end as its operator has it: QMP, nothing else. What it reports goes to the board. Thread-safe. */
public final class End implements AutoCloseable {
    /** What it is. */
    public enum Kind {
        /** A Godwit with an embedded guest. */
        EMBEDDED,
        /** A Godwit with a VM's folder. */
        STORE,
        QEMU
    }

    /** Commands that QEMU takes past whatever its main loop is busy with ({@code spec/qmp.md §2}). */
    private static final Set<String> OUT_OF_BAND = Set.of("migrate-pause", "migrate-recover");

    private final Side side;
    private final Kind kind;
    private final Board board;
    private final Path folder;
    private final QmpClient operator;
    private final QmpClient watcher;
    private final Duration deadline;
    /** What the last sample said; of the sampler's thread. */
    private String asked = "";

    private int askedMark = -1;

    /**
     * Connects to a Godwit with an embedded guest.
     *
     * @param folder that is not shown in addresses
     * @param deadline for each answer
     */
    public End(Side side, Board board, Address qmp, Path folder, Duration deadline) throws LabFailed {
        this(side, Kind.EMBEDDED, board, List.of(qmp, qmp), folder, deadline);
    }

    /** @param qmp two addresses, since a QEMU's each serve one client at a time */
    public End(Side side, Kind kind, Board board, List<Address> qmp, Path folder, Duration deadline) throws LabFailed {
        this.side = side;
        this.kind = kind;
        this.board = board;
        this.folder = folder;
        this.deadline = deadline;
        try {
            operator = QmpClient.connect(qmp.getFirst(), deadline);
            watcher = watcher(qmp.getLast(), deadline);
        } catch (QmpException e) {
            throw new LabFailed("the " + side + "'s QMP does not work: " + e.getMessage(), e);
        }
        operator.addListener(this::told);
    }

    private QmpClient watcher(Address qmp, Duration wait) throws QmpException {
        boolean done = false;
        try {
            QmpClient client = QmpClient.connect(qmp, wait);
            done = true;
            return client;
        } finally {
            if (!done) {
                operator.close();
            }
        }
    }

    public Side side() {
        return side;
    }

    /** Whether it is a QEMU: it has no deadlines, and its destination listens for one recovery at a time. */
    public boolean isQemu() {
        return kind == Kind.QEMU;
    }

    /** Whether its guest tells about itself. */
    public boolean hasEmbeddedGuest() {
        return kind == Kind.EMBEDDED;
    }

    /** Sends a command and shows it on the timeline. */
    public Json order(String command, JsonObject arguments) throws LabFailed {
        board.add(new Happening.Order(side, words(command, arguments, folder)));
        return ask(command, arguments);
    }

    public Json order(String command) throws LabFailed {
        return order(command, Json.object());
    }

    /** Sends a command and does not show it. */
    public Json ask(String command, JsonObject arguments) throws LabFailed {
        try {
            return isQemu() && operator.oob() && OUT_OF_BAND.contains(command)
                    ? operator.executeOob(command, arguments, deadline)
                    : operator.execute(command, arguments, deadline);
        } catch (QmpException e) {
            throw new LabFailed("the " + side + " did not obey '" + command + "': " + e.getMessage(), e);
        }
    }

    /** A command that must be refused; returns the reason. */
    public String refused(String command) throws LabFailed {
        board.add(new Happening.Order(side, command));
        try {
            operator.execute(command, Json.object(), deadline);
        } catch (QmpError e) {
            return String.valueOf(e.getMessage());
        } catch (QmpException e) {
            throw new LabFailed("the " + side + " did not answer '" + command + "': " + e.getMessage(), e);
        }
        throw new LabFailed("the " + side + " obeyed '" + command + "', which must be refused");
    }

    public JsonObject query(String command) throws LabFailed {
        if (ask(command, Json.object()) instanceof JsonObject answer) {
            return answer;
        }
        throw new LabFailed("the " + side + " did not answer '" + command + "' with an object");
    }

    /** Brings the board's figures up to date. */
    public void sample() throws QmpException {
        int mark = board.mark(side);
        if (watcher.execute("query-migrate", Json.object(), deadline) instanceof JsonObject migration) {
            Json guest = hasEmbeddedGuest()
                    ? watcher.execute("x-godwit-guest-stats", Json.object(), deadline)
                    : Json.object();
            board.figures(side, migration, guest instanceof JsonObject stats ? stats : Json.object());
            if (isQemu()) {
                compare(migration.string("status", "none"), mark);
            }
        }
    }

    /** Some of QEMU's changes of status come without an event. What was asked may be older than an event that came meanwhile: so it counts when it is the same twice. */
    private void compare(String status, int mark) {
        boolean again = status.equals(asked) && mark == askedMark;
        asked = status;
        askedMark = mark;
        if (again && mark == board.mark(side) && !status.equals(board.status(side))) {
            board.add(new Happening.Status(side, status, ""));
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
    public static String words(String command, JsonObject arguments, Path folder) {
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
