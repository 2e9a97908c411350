// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A sensible operator of both ends: looks at their states, and says what a handbook would say there, again and again, until what is wanted has come. It never says the same in the same
 * state without having waited. For one thread.
 */
final class Operator {
    static final String PAUSED = "postcopy-paused";
    static final String ACTIVE = "postcopy-active";
    private static final Duration TICK = Duration.ofMillis(50);

    /** The deadlines that are set at both ends, in milliseconds: short, so that many silences fit into a round. */
    static final long LIVENESS_MILLIS = 1_000;

    static final long HANDSHAKE_MILLIS = 1_000;

    /** After which an end that has not noticed by itself what the other knows is told migrate-pause. */
    private static final long PATIENCE_NANOS = 4_000_000_000L;

    private final Field field;
    private final Board board;
    private final Plan plan;
    private final Pace pace;
    private final long untilNanos;
    private final List<Double> recoveries = new ArrayList<>();
    private int failedRecoveries;
    private boolean switchAsked;
    private long resumedAt = -1;
    private int sourceMark;
    private int destinationMark;
    private long apartSince = -1;
    private long triedAt = -1;

    /**
     * An operator.
     *
     * @param untilNanos when the round's time is over, as {@link Board#now}
     */
    Operator(Field field, Board board, Plan plan, Pace pace, long untilNanos) {
        this.field = field;
        this.board = board;
        this.plan = plan;
        this.pace = pace;
        this.untilNanos = untilNanos;
    }

    /** What a migration's speed is, in bytes per second. */
    record Pace(long size, long precopy, long postcopy) {}

    List<Double> recoveries() {
        return recoveries;
    }

    int failedRecoveries() {
        return failedRecoveries;
    }

    String source() {
        return board.status(Side.SOURCE);
    }

    String destination() {
        return board.status(Side.DESTINATION);
    }

    /** Does what is sensible until the condition, which looks at the board, is met, or the migration is completed; returns whether it is met. */
    boolean drive(String what, BooleanSupplier met) throws LabFailed, IOException, RoundFailed {
        while (true) {
            recovered();
            if (met.getAsBoolean()) {
                return true;
            }
            if (completed()) {
                return false;
            }
            requireTime(what);
            act();
            watch();
            String seen = source() + destination();
            board.awaitQuietly(TICK, () -> met.getAsBoolean() || !seen.equals(source() + destination()));
        }
    }

    void requireTime(String what) throws RoundFailed {
        if (board.now() > untilNanos) {
            throw new RoundFailed(
                    Result.Verdict.STUCK,
                    "stuck: it was awaited that " + what + ", and that did not come in the round's time; " + states());
        }
    }

    boolean completed() {
        return source().equals("completed") && destination().equals("completed");
    }

    boolean bothPaused() {
        return source().equals(PAUSED) && destination().equals(PAUSED);
    }

    boolean bothActive() {
        return source().equals(ACTIVE) && destination().equals(ACTIVE);
    }

    /** Both ends' states, for a message. */
    String states() {
        return "the source is in " + source() + " (" + board.reason(Side.SOURCE) + "), its guest "
                + (board.runs(Side.SOURCE) ? "runs" : "is stopped") + "; the destination is in " + destination() + " ("
                + board.reason(Side.DESTINATION) + "), its guest "
                + (board.runs(Side.DESTINATION) ? "runs" : "is stopped");
    }

    /** At no moment may both have a running guest: the source is asked before and after the destination. */
    void watch() throws LabFailed, RoundFailed {
        if (runs(Side.SOURCE) && runs(Side.DESTINATION) && runs(Side.SOURCE)) {
            throw new RoundFailed(Result.Verdict.LOST, "two guests run at the same time: " + states());
        }
    }

    private boolean runs(Side side) throws LabFailed {
        return field.isAlive(side) && field.end(side).query("query-status").bool("running", false);
    }

    private void act() throws LabFailed, IOException, RoundFailed {
        String source = source();
        switch (source) {
            case "none" -> begin();
            case "failed", "cancelled" -> again();
            case "active" -> underway();
            case PAUSED -> paused();
            case "uncertain" -> uncertain();
            case ACTIVE -> apart(Side.SOURCE, destination().equals(PAUSED));
            default -> {
                // Between two states: the next one comes by itself, or the round is stuck.
            }
        }
    }

    /** Starts a migration if there is none, and does not wait for what becomes of it. */
    void startUp() throws LabFailed, IOException, RoundFailed {
        switch (source()) {
            case "none" -> begin();
            case "failed", "cancelled" -> again();
            default -> {
                // One is on its way.
            }
        }
    }

    /** What an end needs to know before a migration. */
    private void configure(Side side) throws LabFailed {
        capabilities(
                side,
                Stream.concat(
                        Stream.of("events", "return-path"),
                        Stream.concat(
                                plan.postcopy() ? Stream.of("postcopy-ram") : Stream.empty(),
                                plan.preempt() ? Stream.of("postcopy-preempt") : Stream.empty())));
        parameters(side);
    }

    private void capabilities(Side side, Stream<String> names) throws LabFailed {
        Json[] states = names.map(name -> JsonObject.builder()
                        .put("capability", name)
                        .put("state", true)
                        .build())
                .toArray(Json[]::new);
        field.end(side).ask("migrate-set-capabilities", RelayedGround.with("capabilities", Json.array(states)));
    }

    /** Speeds and deadlines. */
    private void parameters(Side side) throws LabFailed {
        JsonObject parameters = JsonObject.builder()
                .put("max-bandwidth", pace.precopy())
                .put("max-postcopy-bandwidth", pace.postcopy())
                .put("x-godwit-liveness-timeout", LIVENESS_MILLIS)
                .put("x-godwit-handshake-timeout", HANDSHAKE_MILLIS)
                .build();
        field.end(side).order("migrate-set-parameters", parameters);
    }

    /** Gives both ends their settings and starts the migration. */
    void begin() throws LabFailed {
        for (Side side : Side.values()) {
            configure(side);
        }
        order(
                Side.DESTINATION,
                "migrate-incoming",
                RelayedGround.with("uri", Json.of(field.destinationAddress().toString())));
        switchAsked = false;
        String before = source();
        order(
                Side.SOURCE,
                "migrate",
                RelayedGround.with("uri", Json.of(field.sourceAddress().toString())));
        awaitChange(before);
    }

    /** The migration came to nothing: the guest must go on at the source, and is migrated to a new destination. */
    private void again() throws LabFailed, IOException, RoundFailed {
        while (!runs(Side.SOURCE)) {
            requireTime("the guest goes on at the source after a migration that came to nothing");
            board.pass(TICK);
        }
        watch();
        field.network().heal();
        field.replace(Side.DESTINATION);
        begin();
    }

    private void underway() throws LabFailed {
        if (plan.postcopy() && !switchAsked && sentEnough()) {
            switchOver();
        }
    }

    boolean sentEnough() throws LabFailed {
        JsonObject migration = field.end(Side.SOURCE).query("query-migrate");
        long sent = migration.has("ram") ? migration.object("ram").int64("transferred", 0) : 0;
        return sent >= pace.size() * plan.sentPercent() / 100;
    }

    /** The guest is to change sides: by postcopy, or because precopy may send as fast as it can. */
    void switchOver() throws LabFailed {
        switchAsked = true;
        if (plan.postcopy()) {
            order(Side.SOURCE, "migrate-start-postcopy", Json.object());
        } else {
            order(Side.SOURCE, "migrate-set-parameters", RelayedGround.with("max-bandwidth", Json.of(0)));
        }
    }

    private void paused() throws LabFailed {
        String destination = destination();
        if (destination.equals(PAUSED) || destination.equals("completed")) {
            resume();
        } else {
            apart(Side.DESTINATION, true);
        }
    }

    /** The other end is paused and this one has not noticed: it is given time to do so by itself. */
    private void apart(Side side, boolean isApart) throws LabFailed {
        if (!isApart) {
            apartSince = -1;
        } else if (apartSince < 0) {
            apartSince = board.now();
        } else if (board.now() - apartSince > PATIENCE_NANOS) {
            apartSince = -1;
            order(side, "migrate-pause", Json.object());
        }
    }

    /** A process with a store was killed: another goes on where it was, once its operator has told it what it told the first. */
    void restart(Side side) throws LabFailed, IOException {
        field.replace(side);
        if (side == Side.SOURCE) {
            configure(side);
        } else {
            // What a destination needs for the rest of a migration it has from its store; whom to tell it has not.
            capabilities(side, Stream.of("events"));
            parameters(side);
        }
        resumedAt = -1;
    }

    /** The migration into the store is done: what was known of it is of no use to the next. */
    void turnRound() throws LabFailed, IOException {
        field.turnRound();
        switchAsked = false;
        resumedAt = -1;
        apartSince = -1;
    }

    /** Begins a recovery, which may fail. */
    void resume() throws LabFailed {
        if (triedAt >= 0 && board.now() - triedAt < TICK.toNanos()) {
            return;
        }
        if (destination().equals(PAUSED)) {
            order(
                    Side.DESTINATION,
                    "migrate-recover",
                    RelayedGround.with("uri", Json.of(field.destinationAddress().toString())));
        }
        sourceMark = board.mark(Side.SOURCE);
        destinationMark = board.mark(Side.DESTINATION);
        String before = source();
        long now = board.now();
        triedAt = now;
        if (order(
                Side.SOURCE,
                "migrate",
                JsonObject.builder()
                        .put("uri", field.sourceAddress().toString())
                        .put("resume", true)
                        .build())) {
            resumedAt = now;
            awaitChange(before);
        }
    }

    /** Takes note of how the last attempt to recover ended, if it has. */
    void recovered() {
        if (resumedAt < 0) {
            return;
        }
        long source = first(Side.SOURCE, sourceMark);
        long destination = destination().equals("completed") ? 0 : first(Side.DESTINATION, destinationMark);
        if (source >= 0 && destination >= 0) {
            recoveries.add((Math.max(source, destination) - resumedAt) / 1e6);
            resumedAt = -1;
        } else if (board.seen(Side.SOURCE, sourceMark, PAUSED)) {
            failedRecoveries++;
            resumedAt = -1;
        }
    }

    private long first(Side side, int mark) {
        long active = board.time(side, mark, ACTIVE);
        return active >= 0 ? active : board.time(side, mark, "completed");
    }

    /** Asks the destination by a recovery; if it is gone, or says that it never got the guest, the operator says whose it is. */
    private void uncertain() throws LabFailed, IOException {
        boolean never = !field.isAlive(Side.DESTINATION) || destination().equals("failed");
        if (never && !(field.isAlive(Side.DESTINATION) && board.runs(Side.DESTINATION))) {
            order(Side.SOURCE, "x-godwit-migrate-resolve", RelayedGround.with("owner", Json.of("source")));
            awaitChange("uncertain");
        } else {
            resume();
        }
    }

    /** A command was obeyed: its first effect is waited for, so that it is not said twice. */
    private void awaitChange(String before) throws LabFailed {
        int mark = board.mark(Side.SOURCE);
        board.awaitQuietly(TICK, () -> board.mark(Side.SOURCE) > mark || !source().equals(before));
    }

    /** Sends a command that may be refused, since states change while it is on its way; returns whether it was obeyed. */
    boolean order(Side side, String command, JsonObject arguments) throws LabFailed {
        try {
            field.end(side).order(command, arguments);
            return true;
        } catch (LabFailed e) {
            board.add(new Happening.Outcome(String.valueOf(e.getMessage())));
            board.pass(TICK);
            return false;
        }
    }

    End end(Side side) {
        return field.end(side);
    }
}
